"""reStructuredText bytes → Document, by docutils. The stored text is Markdown made from what a reader of the page sees.

Directives and roles that docutils does not know (Sphinx's and those of its extensions) keep their text: a role its
words, a directive its argument and its content, one that describes an object a heading with its signature. What writes
text from elsewhere (autodoc, toctree, include, raw) says nothing by itself and is left out and counted. No file is
included, nothing is fetched and no HTML passes. What docutils can't read is kept as plain text.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, ClassVar, Final

from docutils import ApplicationError, languages, nodes
from docutils.frontend import get_default_settings
from docutils.parsers.rst import Directive, Parser, directives, states
from docutils.utils import new_document, unescape

from app.domain import Document
from app.errors import DocumentError
from app.letters import detect_language
from ingest.cleaning import clean_line, clean_text
from ingest.parsers.blocks import BlockWriter
from ingest.parsers.budget import TextBudget
from ingest.parsers.decoding import decode
from ingest.parsers.plaintext import text_document
from ingest.parsers.scripts import raised
from ingest.parsers.written import add_counts, build_document

MEDIA_TYPE = "text/x-rst"

# docutils takes some 100 times a text's size in memory, and reads about 200 kB a second.
_MAX_CHARS: Final = 2_000_000
_MAX_LINE_CHARS: Final = 20_000

_DIRECTIVE_NAME: Final = re.compile(
    r"\.\.[ ]+(?:\|[^|\n]{1,200}\|[ ]+)?([^\W_](?:[\w.:+-]{0,60}[^\W_])?)[ ]?::"
)


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_CODE: Final = _names(
    """
    code code-block sourcecode highlight-block parsed-literal prompt ipython doctest console testcode
    testoutput graphviz digraph graph mermaid uml plantuml productionlist shell code-tab code-cell jupyter-
    execute ipython3 math
    """
)
# They name what stands elsewhere, or say how the page is made.
_LEFT_OUT: Final = _names(
    """
    toctree currentmodule module highlight index tabularcolumns include literalinclude raw contents sectnum
    section-numbering target-notes default-domain default-role role date bibliography todolist sectionauthor
    codeauthor moduleauthor program testsetup testcleanup doxygenfile doxygenindex doxygenclass
    doxygenfunction doxygenstruct doxygengroup click argparse sphinx-argparse video youtube iframe jupyter-
    kernel plot apidoc inheritance-diagram
    """
)
_NO_ARGUMENT: Final = _names(
    """
    only ifconfig container cssclass rst-class grid hlist tabs tab-set card-carousel
    """
)
_OBJECTS: Final = _names(
    """
    function class method classmethod staticmethod property attribute data exception decorator
    decoratormethod describe object option cmdoption envvar confval setting macro struct enum enumerator
    type member var cfunction ctype opcode pdbcommand django-admin templatetag templatefilter fieldlookup
    """
)
_CHANGES: Final = {
    "versionadded": "New in version",
    "versionchanged": "Changed in version",
    "deprecated": "Deprecated since version",
    "versionremoved": "Removed in version",
    "deprecated-removed": "Deprecated since version",
    "seealso": "See also",
}
# Fields at the top that steer Sphinx; others there (author, status) are read by people.
_STEERING: Final = frozenset({"orphan", "tocdepth", "nocomments", "nosearch", "no-search", "no-toc"})

_MAX_LABEL_CHARS: Final = 60

_TITLED: Final = re.compile(r"((?:.*?\S)??)\s*+<([^<>]*+)>\s*+", re.DOTALL)
_LITERAL_ROLES: Final = _names(
    """
    code literal samp file kbd math command regexp guilabel menuselection abbr strong emphasis sub sup
    subscript superscript dfn mimetype
    """
)
_PARAMETER: Final = re.compile(r"(?:param|parameter|arg|argument|key|keyword)\s+(?:.*\s)?(\S+)$")
_MARKUP_LINE: Final = re.compile(r"\s*(?:\.\.\s+\S+::.*|:[\w-]+:.*)$")


def parse_rst(content: bytes, source: str) -> Document:
    """Parse a reStructuredText file. Title: `.. title::`, else the first section's, else the file's stem.

    Raises DocumentError `bad_encoding`, `too_large` or `empty`.
    """
    cleaned = clean_text(decode(content))
    text = cleaned.text
    try:
        document = _read(text)
        if document is None:
            return text_document(text, source, MEDIA_TYPE)
        writer = _Writer(document, detect_language(text))
        writer.write_children(document, 0)
    except (RecursionError, ApplicationError):  # nested beyond reading: its words are still there
        return text_document(text, source, MEDIA_TYPE)
    if not writer.markdown().strip():
        raise DocumentError("The file has directives alone; there is nothing to search.", code="empty")
    return build_document(
        writer.markdown(),
        source,
        MEDIA_TYPE,
        title=str(document.get("title", "")) or writer.title,
        metadata=writer.metadata,
        dropped=add_counts(cleaned.dropped, writer.dropped),
    )


def _read(text: str) -> nodes.document | None:
    """The tree of a text; None where it is not worth reading, or can't be."""
    if len(text) > _MAX_CHARS or max(map(len, text.split("\n"))) > _MAX_LINE_CHARS:
        return None
    for name in set(_DIRECTIVE_NAME.findall(text)):
        _register(name.lower())
    document = new_document("", _settings())
    inliner = states.Inliner()  # reads its own class's attributes, so that none may be derived from it
    inliner.interpreted = _interpret  # type: ignore[method-assign,assignment]
    Parser(inliner=inliner).parse(text, document)
    return document


class _AnyOption(dict[str, Callable[[str], Any]]):
    """The options of a directive, to which unknown ones are text."""

    def __missing__(self, name: str) -> Callable[[str], Any]:
        return directives.unchanged

    def __bool__(self) -> bool:
        return True


@cache
def _register(name: str) -> None:
    """Give a directive a reader before its first use: docutils', that minds no unknown option, or ours."""
    domain, _, local = name.rpartition(":")
    is_ours = domain or local in _CODE | _LEFT_OUT | _NO_ARGUMENT | _OBJECTS or local.startswith("auto")
    kind = None if is_ours else directives.directive(name, languages.get_language("en"), _QUIET)[0]
    if kind is None:
        directives.register_directive(name, _AnyDirective)
    else:
        spec = kind.option_spec and _AnyOption(kind.option_spec)
        directives.register_directive(name, type(kind.__name__, (kind,), {"option_spec": spec}))


def _settings() -> Any:
    """docutils' settings, with nothing that reads files, passes HTML, prints or stops."""
    settings: Any = get_default_settings(Parser)
    settings.file_insertion_enabled = settings.raw_enabled = settings.warning_stream = False
    settings.halt_level = settings.report_level = 5  # above all that there are
    settings.syntax_highlight, settings.line_length_limit = "none", _MAX_LINE_CHARS
    return settings


_QUIET: Final = new_document("", _settings())


class _AnyDirective(Directive):
    """A directive as the text in it; see the module's first lines."""

    optional_arguments = 1
    final_argument_whitespace = True
    has_content = True
    option_spec: ClassVar[Any] = _AnyOption()

    def run(self) -> list[nodes.Node]:
        """Return the nodes of what it says."""
        domain, _, name = self.name.lower().rpartition(":")
        argument = self.arguments[0] if self.arguments else ""
        if name in _LEFT_OUT or name.startswith("auto"):
            return [nodes.comment(self.block_text, self.block_text, classes=["left-out"])]
        if name in _CODE:
            return self._code(argument)
        block = nodes.container()
        if argument and (domain or name in _OBJECTS):
            block["signatures"] = [line.strip() for line in argument.split("\n")]
        elif name in _CHANGES:
            version, _, rest = ("", "", argument) if name == "seealso" else argument.partition("\n")
            block["label"] = f"{_CHANGES[name]} {version}".strip()
            block += self._paragraph(rest) if rest.strip() else []
        elif argument and name not in _NO_ARGUMENT and (self.content or " " in argument):
            if self.content and "\n" not in argument and len(argument) <= _MAX_LABEL_CHARS:
                block["label"] = argument
            else:
                block += self._paragraph(argument)
        elif not self.content:
            return [nodes.comment(self.block_text, self.block_text, classes=["left-out"])]
        self.state.nested_parse(self.content, self.content_offset, block, match_titles=True)
        return [block]

    def _code(self, argument: str) -> list[nodes.Node]:
        lines = [*([argument] if "\n" in argument or not self.content else []), *self.content]
        code = "\n".join(lines)
        block = nodes.literal_block(code, code)
        if len(argument.split()) == 1 and self.content:
            block["language"] = argument
        caption = self.options.get("caption")
        return [self._paragraph(caption), block] if caption else [block]

    def _paragraph(self, text: str) -> nodes.paragraph:
        inline, _ = self.state.inline_text(text, self.lineno)
        return nodes.paragraph(text, "", *inline)


def _interpret(
    rawsource: str, text: str, role: str | None, _lineno: int
) -> tuple[list[nodes.Node], list[nodes.system_message]]:
    """Read a role as its words, whatever the role; stands for Inliner.interpreted."""
    return [nodes.inline(rawsource, _role_words((role or "").lower(), text))], []


def _role_words(role: str, text: str) -> str:
    """What a reader sees of a role's text; a title before a target in angle brackets alone.

    >>> _role_words("ref", "the guide <guide>"), _role_words("py:func", "~flask.url_for"), _role_words("pep", "8")
    ('the guide', 'url_for', 'PEP 8')
    """
    name = role.rpartition(":")[2]
    if name.startswith("raw"):
        return ""
    words = unescape(text, restore_backslashes=name in {"math", "code"})
    if name in {"sup", "superscript"}:
        words = raised(words)
    elif name in {"samp", "file"}:
        words = words.replace("{", "").replace("}", "")
    elif name == "menuselection":
        words = words.replace("-->", "→")
    elif name and name not in _LITERAL_ROLES:
        titled = _TITLED.fullmatch(words)
        if titled and titled[1]:
            return titled[1]
        words = words.lstrip("!.")
        words = words.rpartition(".")[2].lstrip("~") if words.startswith("~") else words
        words = words.rpartition("/")[2] if name == "doc" else words
    return f"{name.upper()} {words}" if name in {"pep", "rfc"} else words


class _Writer:
    """Writes the tree of one document."""

    def __init__(self, document: nodes.document, language: str) -> None:
        self.title = ""
        self.metadata: dict[str, str] = {}
        self.dropped: Counter[str] = Counter()  # kind → characters
        self._document = document
        self._budget = TextBudget()
        self._out = BlockWriter()
        self._colon = "：" if language == "zh" else ": "
        self._labels = languages.get_language({"zh": "zh_cn"}.get(language, "en")).labels
        self._markdown: str | None = None

    def markdown(self) -> str:
        """What was written."""
        if self._markdown is None:
            self._markdown = self._out.text()
        return self._markdown

    def write_children(self, node: nodes.Node, level: int) -> None:
        """Write the blocks in a node; `level` is that of the heading above."""
        for child in node.children:
            self._write(child, level)

    def _write(self, node: nodes.Node, level: int) -> None:
        if (write := _WRITERS.get(type(node))) is not None:
            assert isinstance(node, nodes.Element)
            write(self, node, level)
        elif not isinstance(node, nodes.Invisible | nodes.raw | nodes.label | nodes.Inline | nodes.Text):
            self.write_children(node, level)

    def _paragraph(self, node: nodes.Element, _: int) -> None:
        self._out.write(self._text(node))
        self._out.end_block()

    def _literal(self, node: nodes.Element, _: int) -> None:
        self._code(node.astext(), str(node.get("language", "")))

    def _list(self, node: nodes.Element, level: int) -> None:
        self._out.end_block()
        self._out.open_list(int(node.get("start", 1)) if isinstance(node, nodes.enumerated_list) else None)
        for item in node.children:
            self._item("", item, level)
        self._out.close_list()

    def _quote(self, node: nodes.Element, level: int) -> None:
        self._out.end_block()
        self._out.open_quote()
        self.write_children(node, level)
        self._out.close_quote()

    def _line_block(self, node: nodes.Element, _: int) -> None:
        self._lines(node)
        self._out.end_block()

    def _meta(self, node: nodes.Element, _: int) -> None:
        if node.get("name") in {"description", "keywords"}:
            self.metadata[node["name"]] = clean_line(str(node.get("content", "")))[:2000]

    def _image(self, node: nodes.Element, _: int) -> None:
        self._out.write(str(node.get("alt", "")))
        self._out.end_block()

    def _comment(self, node: nodes.Element, _: int) -> None:
        self.dropped["directive" if "left-out" in node["classes"] else "comment"] += len(node.astext())

    def _container(self, node: nodes.Element, level: int) -> None:
        """What a directive holds; a function, class, option …: its signature heads its description."""
        if label := str(node.get("label", "")):
            self._labelled(node, label, level)
            return
        signatures: list[str] = node.get("signatures", [])
        level = max(level, 1) + 1 if signatures else level
        for signature in signatures:
            self._heading(signature, level)
        self.write_children(node, level)

    def _admonition(self, node: nodes.Element, level: int) -> None:
        self._labelled(node, self._labels.get(type(node).__name__, ""), level)

    def _section(self, node: nodes.Element, level: int) -> None:
        title = self._text(node.children[0]) if node.children and isinstance(node[0], nodes.title) else ""
        self.title = self.title or " ".join(title.split())
        self._heading(title, level + 1)
        for child in node.children[1:] if title else node.children:
            self._write(child, level + 1)

    def _heading(self, title: str, level: int) -> None:
        self._out.open_heading(min(level, 6))
        self._out.write(title)
        self._out.close_heading()

    def _code(self, code: str, language: str) -> None:
        self._out.end_block()
        self._out.open_code(language if re.fullmatch(r"[\w+#.-]{1,20}", language) else "")
        self._out.write(code)
        self._out.close_code()

    def _item(self, name: str, node: nodes.Node, level: int) -> None:
        self._out.open_item()
        self._out.write(name)
        self.write_children(node, level)
        self._out.end_block()
        self._out.close_item()

    def _named_items(self, node: nodes.Element, level: int) -> None:
        """Terms, options and fields, each with what it means."""
        self._out.end_block()
        self._out.open_list(None)
        for item in node.children:
            name, body = self._name_of(item)
            if name.casefold() in _STEERING and not level:
                continue
            parameter = _PARAMETER.match(name)
            self._item(f"{parameter[1] if parameter else name}: ", body, level)
        self._out.close_list()

    def _name_of(self, item: nodes.Node) -> tuple[str, nodes.Node]:
        if isinstance(item, nodes.option_list_item):
            return item.children[0].astext(), item.children[-1]
        parts = [self._text(child) for child in item.children[:-1]]
        return " : ".join(" ".join(part.split()) for part in parts), item.children[-1]

    def _lines(self, node: nodes.Node) -> None:
        for child in node.children:
            if isinstance(child, nodes.line_block):
                self._lines(child)
            else:
                self._out.write(self._text(child))
                self._out.break_line()

    def _labelled(self, node: nodes.Element, label: str, level: int) -> None:
        """A warning, a tab, a change: what it is stands before its first words."""
        self._out.end_block()
        children = list(node.children)
        if children and isinstance(children[0], nodes.title):
            label = self._text(children.pop(0))
        self._out.write(f"{label.rstrip('!：:')}{self._colon}" if label else "")
        for child in children:
            self._write(child, level)
        self._out.end_block()

    def _footnote(self, node: nodes.Element, level: int) -> None:
        label = node.children[0].astext() if isinstance(node.children[0], nodes.label) else ""
        self._out.write(f"[{label}] " if label else "")
        self.write_children(node, level)

    def _table(self, node: nodes.Element, level: int) -> None:
        out = self._out
        for title in node.children:
            if isinstance(title, nodes.title):
                self._write(title, level)
        out.end_block()
        is_layout = next(
            iter(node.findall(lambda inner: isinstance(inner, nodes.table) and inner is not node)), None
        )
        out.open_table(is_layout=is_layout is not None)
        for row in node.findall(nodes.row):
            out.open_row()
            for entry in row.children:
                assert isinstance(entry, nodes.entry)
                out.open_cell(int(entry.get("morecols", 0)) + 1, int(entry.get("morerows", 0)) + 1)
                self.write_children(entry, level)
                out.end_block()
                out.close_cell()
        out.close_table()

    def _unread(self, node: nodes.Element, _: int) -> None:
        """What docutils could not read, a ragged table or the like, is shown as it is written."""
        if int(node.get("level", 0)) < 3:
            return
        for block in node.findall(nodes.literal_block):
            lines = [line for line in block.astext().split("\n") if not _MARKUP_LINE.match(line)]
            self._code("\n".join(lines), "")

    def _text(self, node: nodes.Node) -> str:
        return "".join(self._words(node, 0))

    def _words(self, node: nodes.Node, depth: int) -> Iterator[str]:
        """The words of inline markup, with what substitutions stand for."""
        if isinstance(node, nodes.Text):
            yield node.astext()
        elif isinstance(node, nodes.substitution_reference):
            meant = self._document.substitution_defs.get(node["refname"])
            # what a site's configuration defines, as |version|, is not here to read
            words = f"|{node.astext()}|"
            if meant is not None and depth < 4:
                words = "".join(self._words(meant, depth + 1))
            self._budget.take(len(words))
            yield words
        elif isinstance(node, nodes.image):
            yield str(node.get("alt", ""))
        elif isinstance(node, nodes.footnote_reference | nodes.citation_reference):
            yield f"[{node.astext()}]" if node.astext() else ""
        elif not isinstance(node, nodes.system_message | nodes.raw | nodes.comment):
            for child in node.children:
                yield from self._words(child, depth)


_Write = Callable[[_Writer, nodes.Element, int], None]
_ADMONITIONS: Final[list[type[Any]]] = nodes.Admonition.__subclasses__()
_WRITERS: Final[Mapping[type[nodes.Node], _Write]] = {
    **dict.fromkeys(
        (nodes.paragraph, nodes.title, nodes.subtitle, nodes.rubric, nodes.attribution, nodes.caption),
        _Writer._paragraph,
    ),
    **dict.fromkeys((nodes.literal_block, nodes.doctest_block, nodes.math_block), _Writer._literal),
    **dict.fromkeys((nodes.bullet_list, nodes.enumerated_list), _Writer._list),
    **dict.fromkeys((nodes.definition_list, nodes.option_list, nodes.field_list), _Writer._named_items),
    **dict.fromkeys((nodes.footnote, nodes.citation), _Writer._footnote),
    **dict.fromkeys(_ADMONITIONS, _Writer._admonition),
    nodes.section: _Writer._section,
    nodes.block_quote: _Writer._quote,
    nodes.line_block: _Writer._line_block,
    nodes.table: _Writer._table,
    nodes.meta: _Writer._meta,
    nodes.image: _Writer._image,
    nodes.comment: _Writer._comment,
    nodes.system_message: _Writer._unread,
    nodes.container: _Writer._container,
}
