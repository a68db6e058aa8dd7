"""LaTeX bytes → Document, by pylatexenc. The stored text is Markdown made from what a reader of the printed page sees.

Sections are headings, environments lists, tables, code and quotations; formulas are characters where there are some
(x², α, a/b). Macros that the file defines are not carried out, their arguments stay. Nothing is included from other
files; drawings are left out and counted. What pylatexenc can't read is kept as plain text.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from pylatexenc import latex2text, latexwalker, macrospec

from app.domain import Document
from ingest.cleaning import clean_line, clean_text
from ingest.parsers.blocks import BlockWriter
from ingest.parsers.decoding import decode
from ingest.parsers.plaintext import text_document
from ingest.parsers.scripts import raised
from ingest.parsers.written import add_counts, build_document

MEDIA_TYPE = "text/x-tex"


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_MAX_CHARS: Final = 1_000_000  # pylatexenc takes quadratic time on long paragraphs: some 25 s for so many
_MAX_SPAN: Final = 100  # columns or rows of a cell

_SECTIONS: Final = ("part", "chapter", "section", "subsection", "subsubsection", "paragraph", "subparagraph")
_VERBATIM: Final = re.compile(
    r"\\begin\{(verbatim\*?|Verbatim|lstlisting|minted|alltt|comment|tikzpicture|filecontents\*?)\}"
)
_OPTIONS: Final = re.compile(r"[ \t]*(?:\[([^\]]*)\])?[ \t]*(?:\{([^{}\n]*)\})?[ \t]*")
_LANGUAGE: Final = re.compile(r"language=\{?([\w+#-]{1,20})")
_CODE_MARK: Final = re.compile("\ue000(\\d+)\ue001")
_LEFT_OUT: Final = frozenset({"tikzpicture", "filecontents", "filecontents*", "pgfpicture", "picture"})
_LISTS: Final = {"itemize": None, "enumerate": 1, "description": None, "compactitem": None, "compactenum": 1}
_TABLES: Final = frozenset(
    {"tabular", "tabular*", "tabularx", "tabulary", "longtable", "longtable*", "supertabular", "tblr"}
)
_QUOTES: Final = frozenset({"quote", "quotation", "verse", "displayquote"})
_NAMED: Final = _names(
    """
    theorem lemma proposition corollary definition proof remark example note warning tip
    """
)
_SILENT: Final = _names(
    """
    maketitle tableofcontents listoffigures listoftables label input include usepackage documentclass bibliography
    bibliographystyle includegraphics hline toprule midrule cline bottomrule cmidrule newcommand renewcommand
    providecommand newenvironment index vspace hspace vfill hfill newpage clearpage pagebreak centering noindent
    pagestyle bigskip setlength setcounter addtolength hypersetup graphicspath geometry thispagestyle medskip
    smallskip appendix addcontentsline markboth printbibliography printindex nocite par definecolor lstset
    captionsetup theoremstyle newtheorem DeclareMathOperator cellcolor rowcolor date author title and protect
    phantomsection makeatletter makeatother
    """
)
# How many arguments macros and environments have that pylatexenc does not know: [ optional, { not.
_MACRO_ARGUMENTS: Final = {
    "{{": "href setlength addtolength setcounter markboth texorpdfstring fontsize scalebox",
    "*[{": "caption",
    "{[{": "captionof",
    "{{{": "multicolumn addcontentsline definecolor",
    "[{[{[{": "multirow",
    "[{": """
        bibitem num si cmidrule captionsetup cellcolor rowcolor color lstinline title author date subtitle institute
        """,
    "[{{": "SI qty textcolor mintinline rotatebox",
    "{": """
        url cline hypersetup pagestyle geometry graphicspath thispagestyle nocite lstset theoremstyle
        index autoref cref Cref eqref pageref frametitle framesubtitle enquote
        """,
    "*{": "vspace hspace",
    "*{[{[": "newtheorem",
    "*{{": "DeclareMathOperator",
    "*{[[{{": "newenvironment",
    "*[[{": "citet citep",
    "[[{": "parencite textcite autocite",
    "{[[{": "raisebox",
    "*{{{": "resizebox",
}
_ENVIRONMENT_ARGUMENTS: Final = {
    "[{": "longtable tblr subfigure column",
    "{{": "tabulary",
    "{[{": "tabular*",
    "{": "supertabular multicols thebibliography adjustbox letter",
    "[[[{": "minipage",
    "[{[{": "wrapfigure",
    "[": "figure figure* table table* itemize enumerate description tcolorbox frame columns",
}

Node = Any  # pylatexenc ships no types


def parse_latex(content: bytes, source: str) -> Document:
    r"""Parse a LaTeX file. Title: `\title`, else the first section of the highest level, else the file's stem.

    `\author` and `\date` become metadata. Raises DocumentError `bad_encoding` or `empty`.
    """
    cleaned = clean_text(decode(content))
    text = cleaned.text
    if len(text) > _MAX_CHARS:
        return text_document(text, source, MEDIA_TYPE)
    reader = _Reader()
    try:
        reader.read(text)
        markdown = reader.out.text()
    except (RecursionError, latexwalker.LatexWalkerError, LookupError, TypeError, AttributeError):
        markdown = ""  # it raises these for macros without their arguments
    if not markdown.strip():
        return text_document(text, source, MEDIA_TYPE)
    return build_document(
        markdown,
        source,
        MEDIA_TYPE,
        title=reader.title,
        metadata=reader.metadata,
        dropped=add_counts(cleaned.dropped, reader.dropped),
    )


def _walker_context() -> Any:
    context = latexwalker.get_default_latex_context_db()
    context.add_context_category(
        "more",
        prepend=True,
        macros=[
            macrospec.std_macro(name, arguments)
            for arguments, names in _MACRO_ARGUMENTS.items()
            for name in names.split()
        ],
        environments=[
            macrospec.std_environment(name, arguments)
            for arguments, names in _ENVIRONMENT_ARGUMENTS.items()
            for name in names.split()
        ],
    )
    return context


def _last_argument(template: str) -> Callable[..., str]:
    """Writes a macro as its last argument."""

    def write(node: Node, l2tobj: Any) -> str:
        arguments = [argument for argument in node.nodeargd.argnlist or [] if argument is not None]
        return template.format(l2tobj.nodelist_to_text(arguments[-1:]))

    return write


def _all_arguments(node: Node, l2tobj: Any) -> str:
    arguments = [argument for argument in node.nodeargd.argnlist or [] if argument is not None]
    return " ".join(l2tobj.nodelist_to_text([argument]) for argument in arguments)


def _text_context() -> Any:
    context = latex2text.get_default_latex_context_db()
    last = """
        ref autoref cref Cref pageref url href texttt lstinline mintinline textcolor caption num multicolumn multirow
        raisebox rotatebox scalebox resizebox texorpdfstring
        """
    words = {
        **dict.fromkeys(_SILENT, ""),
        **dict.fromkeys(last.split(), _last_argument("{}")),
        **dict.fromkeys(("cite", "citet", "citep", "parencite", "textcite", "autocite"), _last_argument("[{}]")),
        **dict.fromkeys(("SI", "qty", "si"), _all_arguments),
        "verb": lambda node: getattr(node.nodeargd, "verbatim_text", "") or "",
        "eqref": _last_argument("({})"),
        "footnote": _last_argument(" ({})"),
        "textsuperscript": lambda node, l2tobj: raised(_last_argument("{}")(node, l2tobj)),
        "color": "", "fontsize": "", "item": "", "textbullet": "•", "today": "",
        "glqq": "„", "grqq": "“", "glq": "‚", "grq": "‘", "flqq": "«", "frqq": "»", "flq": "‹", "frq": "›",
        "og": "« ", "fg": " »", "enquote": _last_argument("“{}”"),
    }  # fmt: skip
    context.add_context_category(
        "more",
        prepend=True,
        macros=[latex2text.MacroTextSpec(name, simplify_repl=repl) for name, repl in words.items()],
    )
    return context


_WALKER_CONTEXT: Final = _walker_context()
_TEXT: Final = latex2text.LatexNodes2Text(
    latex_context=_text_context(), math_mode="text", keep_comments=False, strict_latex_spaces=False
)
_NEVER_SET: Final = re.compile(r"\\iffalse\b(?:(?!\\if(?!f\b)|\\fi\b).)*+\\fi\b", re.S)
# On which steps of a slide something is shown, behind a macro of beamer.
_COMMENT: Final = re.compile(r"(?<!\\)%.*")
_OVERLAY: Final = re.compile(
    r"(\\(?:item|only|uncover|alert|visible|invisible|onslide|pause|textbf|textit|emph))<[\d+.,@a-z| -]{1,30}>"
)
_POWER: Final = re.compile(r"\^(?:\{([^{}]{1,20})\}|(-?\d{1,9}|n)(?![\w.]))")


class _Reader:
    """Reads the tree of one document and writes blocks."""

    def __init__(self) -> None:
        self.out = BlockWriter()
        self.title = ""
        self.metadata: dict[str, str] = {}
        self.dropped: Counter[str] = Counter()  # kind → characters
        self._code: list[tuple[str, str]] = []  # language, code
        self._top = 0  # the place in _SECTIONS that is heading level 1, or level 2 under a title
        self._inline: list[Node] = []  # of the open paragraph

    def read(self, text: str) -> None:
        """Read a whole file."""
        length = len(text)
        text = _NEVER_SET.sub("", text)
        self.dropped["comment"] += length - len(text)
        text = self._take_verbatim(_OVERLAY.sub(r"\1", re.sub("[\ue000\ue001]", "", text)))
        self.dropped["comment"] += sum(map(len, _COMMENT.findall(text)))
        walker = latexwalker.LatexWalker(text, latex_context=_WALKER_CONTEXT, tolerant_parsing=True)
        nodes, _, _ = walker.get_latex_nodes()
        body = [node for node in nodes if _environment(node) == "document"]
        self._preamble(nodes)
        for node in body:
            self._preamble(node.nodelist)
        used = [
            place
            for place, name in enumerate(_SECTIONS)
            if f"\\{name}" in text and re.search(rf"\\{name}\b", text)
        ]
        self._top = (used[0] if used else 0) - bool(self.title)
        if self.title:
            self._heading(1, self.title)
            for name in ("author", "date"):
                self._write_text(self.metadata.get(name, ""))
        for node in body or [None]:
            self._read(nodes if node is None else node.nodelist)
            self._flush()

    def _take_verbatim(self, text: str) -> str:
        """Put marks in place of code, which is not LaTeX, and leave drawings out."""
        pieces: list[str] = []
        unclosed: set[str] = set()
        at = 0
        for begin in _VERBATIM.finditer(text):
            end_mark = f"\\end{{{begin[1]}}}"
            if begin.start() < at or begin[1] in unclosed:
                continue
            end = text.find(end_mark, begin.end())
            if end < 0:
                unclosed.add(begin[1])
                continue
            pieces.append(text[at : begin.start()])
            at = end + len(end_mark)
            if begin[1] in _LEFT_OUT:
                self.dropped["drawing"] += end - begin.end()
            elif begin[1] == "comment":
                self.dropped["comment"] += end - begin.end()
            else:
                options = _OPTIONS.match(text, begin.end())
                assert options is not None
                language = _LANGUAGE.search(options[1] or "")
                name = options[2] or "" if begin[1] == "minted" else language[1] if language else ""
                pieces.append(f"\ue000{len(self._code)}\ue001")
                self._code.append((name.lower(), text[options.end() : end]))
        return "".join(pieces) + text[at:]

    def _preamble(self, nodes: Sequence[Node]) -> None:
        """Read the title, its author and its date, wherever they are given."""
        for node in nodes:
            name = _macro(node)
            if name in {"title", "author", "date"} and node.nodeargd and node.nodeargd.argnlist:
                words = clean_line(self._words([node.nodeargd.argnlist[-1]]))[:2000]
                if name == "title":
                    self.title = self.title or words[:300]
                elif words:
                    self.metadata.setdefault(name, words)

    def _read(self, nodes: Sequence[Node] | None) -> None:
        last: Node = None
        for node in nodes or ():
            if node is None:
                continue
            name = _macro(node)
            environment = _environment(node)
            if name in _SECTIONS or name == "frametitle":
                self._flush()
                level = _SECTIONS.index(name) if name in _SECTIONS else 3
                self._heading(level - self._top + 1, self._words(_arguments(node)[-1:]))
            elif name in {"caption", "subtitle", "framesubtitle", "bibitem", "par"}:
                self._flush()
                words = self._words(_arguments(node)[-1:])
                if name == "bibitem":
                    self.out.write(f"[{words}] ")
                else:
                    self._write_text(words)
            elif environment and not _is_formula(node):
                self._flush()
                self._environment(environment, node)
            else:
                # arguments of a macro that nobody knows, side by side, are words apart
                if isinstance(node, latexwalker.LatexGroupNode) and isinstance(
                    last, latexwalker.LatexGroupNode
                ):
                    self._inline.append(latexwalker.LatexCharsNode(chars=" "))
                self._inline.append(node)
            last = node

    def _environment(self, name: str, node: Node) -> None:
        self.out.end_block()
        if name in _LISTS:
            self._list(node, _LISTS[name])
        elif name in _TABLES:
            self._table(node)
        elif name in _LEFT_OUT:
            self.dropped["drawing"] += len(node.latex_verbatim())
        else:
            if name in _QUOTES:
                self.out.open_quote()
            elif name.rstrip("*") in _NAMED:
                words = self._words(_arguments(node))
                self.out.write(f"{name.rstrip('*').capitalize()}{f' ({words})' if words else ''}: ")
            parts = list(node.nodelist or ())
            if name == "frame" and parts and isinstance(parts[0], latexwalker.LatexGroupNode):
                self._heading(3 - self._top + 1, self._words(parts.pop(0).nodelist))
            self._read(parts)
            self._flush()
            if name in _QUOTES:
                self.out.close_quote()

    def _list(self, node: Node, start: int | None) -> None:
        self.out.open_list(start)
        is_open = False
        for inner in node.nodelist or ():
            if _macro(inner) == "item":
                self._flush()
                self.out.end_block()
                if is_open:
                    self.out.close_item()
                self.out.open_item()
                is_open = True
                label = [argument for argument in _arguments(inner) if argument is not None]
                if label:
                    self.out.write(f"{self._words(label).strip().rstrip(':：')}: ")
            else:
                self._read([inner])
        self._flush()
        self.out.end_block()
        if is_open:
            self.out.close_item()
        self.out.close_list()

    def _table(self, node: Node) -> None:
        self.out.open_table(is_layout=False)
        above: dict[int, tuple[int, str]] = {}  # column → rows that a cell above still spans, and its words
        for row in _split(node.nodelist or (), lambda inner: _macro(inner) in {"\\", "tabularnewline"}):
            cells = list(_split(row, lambda inner: getattr(inner, "specials_chars", "") == "&"))
            if len(cells) == 1 and not self._words(cells[0]).strip():
                continue
            self.out.open_row()
            column = 0
            for cell in cells:
                columns, rows = self._spans(cell)
                words = " ".join(self._words(cell).split())
                left, spanning = above.pop(column, (0, ""))
                words = words or spanning  # the cells that one spans are there, and empty
                if max(rows, left) > 1:
                    above[column] = max(rows, left) - 1, words
                self.out.open_cell(columns, 1)
                self.out.write(words)
                self.out.close_cell()
                column += columns
        self.out.close_table()

    def _spans(self, cell: Sequence[Node]) -> tuple[int, int]:
        spans = {"multicolumn": 1, "multirow": 1}
        for node in cell:
            if (name := _macro(node)) in spans and _arguments(node):
                groups = [argument for argument in _arguments(node) if argument is not None]
                count = self._words(groups[:1]).strip() if groups else ""
                spans[name] = min(int(count), _MAX_SPAN) if count.isascii() and count.isdigit() else 1
        return max(1, spans["multicolumn"]), max(1, spans["multirow"])

    def _heading(self, level: int, title: str) -> None:
        self.out.open_heading(max(1, min(level, 6)))
        self.out.write(" ".join(title.split()))
        self.out.close_heading()

    def _words(self, nodes: Sequence[Node]) -> str:
        text: str = _TEXT.nodelist_to_text([node for node in nodes if node is not None])
        return _POWER.sub(lambda match: raised(match[1] or match[2]), text)

    def _flush(self) -> None:
        nodes, self._inline = self._inline, []
        for paragraph in re.split(r"\n[ \t]*\n", self._words(nodes)):
            self._write_text(paragraph)

    def _write_text(self, text: str) -> None:
        """Write a paragraph, with the code whose marks are in it."""
        at = 0
        for mark in _CODE_MARK.finditer(text):
            self.out.write(text[at : mark.start()])
            self.out.end_block()
            at = mark.end()
            if int(mark[1]) < len(self._code):
                language, code = self._code[int(mark[1])]
                self.out.open_code(language)
                self.out.write(code)
                self.out.close_code()
        self.out.write(text[at:])
        self.out.end_block()


def _is_formula(node: Node) -> bool:
    """Whether an environment is a formula, which belongs to the text around it."""
    spec = _WALKER_CONTEXT.get_environment_spec(node.environmentname)
    return bool(spec is not None and spec.is_math_mode)


def _macro(node: Node) -> str:
    return getattr(node, "macroname", "") or ""


def _environment(node: Node) -> str:
    return getattr(node, "environmentname", "") or ""


def _arguments(node: Node) -> list[Node]:
    return list(node.nodeargd.argnlist or ()) if node.nodeargd else []


def _split(nodes: Sequence[Node], is_border: Callable[[Node], bool]) -> Iterator[list[Node]]:
    """The stretches of nodes between borders."""
    part: list[Node] = []
    for node in nodes:
        if is_border(node):
            yield part
            part = []
        else:
            part.append(node)
    if part:
        yield part
