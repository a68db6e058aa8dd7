# ruff: noqa: E501 (lines of markup)
"""reStructuredText, AsciiDoc, Org and LaTeX as Sphinx projects, Antora, Emacs and TeX users write them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Final

from eval.fidelity.sample import Sample
from eval.fidelity.stories import (
    ARCHIVE,
    BAKERY,
    FERRY,
    FREEZER,
    GUIDE,
    LIBRARY,
    MARKET,
    MUSEUM,
    POLICY,
    PRODUCT,
    Story,
    headings_of,
    parts_of,
    words_of,
)


def make_rst() -> Iterator[Sample]:
    """Yield reStructuredText."""
    for story, over in ((GUIDE, False), (POLICY, True), (BAKERY, False), (LIBRARY, True), (ARCHIVE, False)):
        text = f".. _{story.name}:\n\n{_underlined(story.title, '=', over=over)}\n\n.. contents::\n   :local:\n\n{_rst(story)}"
        yield _sample(
            "rst", f"sphinx-{story.name}.rst", story, text, ("contents::", ":local:", f"_{story.name}")
        )
    yield Sample(
        "rst/api.rst",
        b":orphan:\n\n.. currentmodule:: kiln.client\n\n=============\nClient object\n=============\n\n.. class:: Client(host, *, timeout=30)\n\n"
        b"   Talks to one archive. See :class:`Pool` and :ref:`the guide <guide>`.\n\n   :param host: name of the archive\n"
        b"   :returns: an open client\n\n   .. method:: close()\n\n      Ends all *open* calls.\n\n      .. versionchanged:: 2.1\n"
        b"         Waits for calls that run.\n\n.. deprecated:: 3.0\n   Use :func:`connect`.\n\n.. |ver| replace:: 2.4\n\nVersion |ver| is the last one.\n",
        (
            "Client object",
            "Talks to one archive.",
            "the guide",
            "name of the archive",
            "an open client",
            "Waits for calls that run.",
            "Version 2.4 is the last one.",
        ),
        (":orphan:", "currentmodule"),
        "Client object",
        ("Client object",),
    )
    yield Sample(
        "rst/tables.rst",
        "Tafel der Maße\n==============\n\n.. list-table:: Maße\n   :header-rows: 1\n   :widths: 20 80\n\n   * - Teil\n     - Länge\n   * - Bolzen\n     - 42 mm\n\n"
        "+--------+----------+\n| Ort    | Höhe     |\n+========+==========+\n| Kai    | 3,20 m   |\n+--------+----------+\n\n"
        '=====  =====\nA      not A\n=====  =====\nFalse  True\n=====  =====\n\n.. csv-table::\n   :header: Code, Sinn\n\n   E7, "Fühler, lose"\n'.encode(),
        (
            "Maße",
            "Teil Länge",
            "Bolzen 42 mm",
            "Ort Höhe",
            "Kai 3,20 m",
            "False True",
            "Code Sinn",
            "E7 Fühler, lose",
        ),
        ("list-table", "header-rows"),
        "Tafel der Maße",
        ("Tafel der Maße",),
    )
    yield Sample(
        "rst/notes.rst",
        b"Valves\n######\n\nA valve is opened by hand [1]_ and closed by a spring [Holm2021]_.\n\n.. warning:: Never open two valves at once.\n\n"
        b".. figure:: valve.png\n   :alt: drawing\n   :width: 200px\n\n   Section of the valve.\n\n.. code-block:: console\n   :linenos:\n\n   $ valve --open 3\n\n"
        b"Literal text follows::\n\n    keep   this   spacing\n\n.. [1] With the red key.\n.. [Holm2021] A. Holm, *Springs*, 2021.\n\n.. a comment that nobody reads\n",
        (
            "A valve is opened by hand",
            "Never open two valves at once.",
            "Section of the valve.",
            "$ valve --open 3",
            "keep this spacing",
            "With the red key.",
            "Springs",
        ),
        ("a comment that nobody reads", "200px"),
        "Valves",
        ("Valves",),
    )


def make_adoc() -> Iterator[Sample]:
    """Yield AsciiDoc."""
    for story in (GUIDE, POLICY, FERRY, FREEZER):
        head = f"= {story.title}\nAda Holm <ada@kiln.example>\nv2.1, 2026-03-01\n:toc: left\n:icons: font\n:source-highlighter: rouge\n"
        text = f"{head}\n{_adoc(story)}"
        yield _sample("adoc", f"antora-{story.name}.adoc", story, text, ("source-highlighter", "icons: font"))
    yield Sample(
        "adoc/attributes.adoc",
        b"= Pump handbook\n:product: P20\n:url-shop: https://shop.example\n\n// not for readers\n\n[abstract]\nThe {product} moves 40 litres a minute.\n\n"
        b"[#seals]\n== Seals of the {product}\n\nOrder seals at {url-shop}[the shop]. footnote:[Only in sets of four.]\n\nifdef::internal[]\nMargin is 40 per cent.\nendif::[]\n\n"
        b'Bolt:: M8, galvanised\nNut:: M8, brass\n\n[cols="1,2",options="header"]\n|===\n|Seal |Size\n\n|A1\n|12 mm\n\n2+|spans both\n|===\n\n'
        b".Opening the case\n. Loosen the bolts.\n+\nKeep them.\n. Lift the cover.\n\n[source,bash]\n----\npump --drain <1>\n----\n<1> Takes a minute.\n",
        (
            "The P20 moves 40 litres a minute.",
            "Seals of the P20",
            "the shop",
            "Bolt",
            "M8, galvanised",
            "Seal Size",
            "A1 12 mm",
            "spans both",
            "Opening the case",
            "Loosen the bolts.",
            "Keep them.",
            "Lift the cover.",
            "pump --drain",
            "Takes a minute.",
        ),
        ("not for readers", "url-shop"),
        "Pump handbook",
        ("Seals of the P20",),
    )


def make_org() -> Iterator[Sample]:
    """Yield Org."""
    for story in (GUIDE, POLICY, ARCHIVE, MARKET):
        text = f"#+TITLE: {story.title}\n#+AUTHOR: Ada Holm\n#+OPTIONS: toc:nil\n#+STARTUP: overview\n\n{_org(story)}"
        yield _sample("org", f"emacs-{story.name}.org", story, text, ("toc:nil", "overview"))
    yield Sample(
        "org/diary.org",
        b"#+title: Kiln log\n#+filetags: :kiln:\n\n* TODO [#A] Order new elements :buy:\nDEADLINE: <2026-04-02 Thu>\n:PROPERTIES:\n:CUSTOM_ID: order\n:END:\n"
        b"The supplier is [[https://heat.example][Heat & Sons]].\n\n** DONE Measure the old ones\n- length :: 34 cm\n- [X] resistance =12 ohm=\n\n"
        b'| Part | Price |\n|------+-------|\n| Coil | 18.40 |\n#+TBLFM: $2=18.4\n\n# a comment line\n#+BEGIN_SRC python :results output\nprint("warm")\n#+END_SRC\n\n'
        b"#+RESULTS:\n: warm\n\n#+begin_quote\nFire slowly.\n#+end_quote\n",
        (
            "Order new elements",
            "The supplier is Heat & Sons",
            "Measure the old ones",
            "34 cm",
            "resistance",
            "Part Price",
            "Coil 18.40",
            'print("warm")',
            "Fire slowly.",
        ),
        ("CUSTOM_ID", "a comment line", "TBLFM"),
        "Kiln log",
        ("Order new elements", "Measure the old ones"),
    )


def make_tex() -> Iterator[Sample]:
    """Yield LaTeX."""
    classes = {
        "guide": "article",
        "product": "scrartcl",
        "bakery": "scrreprt",
        "ferry": "memoir",
        "policy": "ctexart",
        "museum": "oblivoir",
    }
    for story in (GUIDE, PRODUCT, BAKERY, FERRY, POLICY, MUSEUM):
        head = (
            f"% !TEX program = xelatex\n\\documentclass[11pt,a4paper]{{{classes[story.name]}}}\n\\usepackage{{booktabs,hyperref}}\n"
            f"\\newcommand{{\\unitsep}}{{\\,}}\n\\title{{{_tex_text(story.title)}}}\n\\author{{Ada Holm}}\n\\date{{\\today}}\n\\begin{{document}}\n\\maketitle\n"
        )
        text = f"{head}\n{_tex(story)}\n\\end{{document}}\n"
        yield _sample(
            "tex", f"latex-{story.name}.tex", story, text, ("booktabs", "a4paper", "xelatex", "2026")
        )
    yield Sample(
        "tex/paper.tex",
        b"\\documentclass{revtex4-2}\n\\begin{document}\n\\title{Drift of buoys in a \\emph{narrow} sound}\n\\author{A.~Holm}\\affiliation{Institute of Tides}\n"
        b"\\begin{abstract}\nWe followed 31 buoys for two years.\n\\end{abstract}\n\\maketitle\n\\section{Introduction}\\label{sec:intro}\n"
        b"The drift~\\cite{holm2020,berg2019} is \\SI{4.2}{\\kilo\\metre} a day; see Fig.~\\ref{fig:map}. % ask Berg\nIt is caf\\'e weather, na\\\"\\i ve na\\\"{\\i}vet\\'e, 10--12\\,m deep --- or ``deeper''.\n"
        b"\\begin{equation}\n  v = \\frac{s}{t}\n\\end{equation}\n\\begin{figure}\n\\includegraphics[width=3in]{map.pdf}\n\\caption{The sound with its three sills.}\n\\end{figure}\n"
        b"\\subsection*{Methods}\nBuoys\\footnote{Made of cork.} were painted red.\n\\begin{description}\n\\item[Cork] floats for years\n\\end{description}\n"
        b"\\begin{thebibliography}{9}\\bibitem{holm2020} A. Holm, Tides and cork, 2020.\\end{thebibliography}\n\\end{document}\n",
        (
            "We followed 31 buoys for two years.",
            "Introduction",
            "The drift",
            "It is café weather, naïve naïveté, 10–12",
            "The sound with its three sills.",
            "Methods",
            "Made of cork.",
            "Cork",
            "floats for years",
            "Tides and cork, 2020.",
        ),
        ("ask Berg", "sec:intro", "width=3in", "revtex4-2"),
        "Drift of buoys in a narrow sound",
        ("Introduction", "Methods"),
    )
    yield Sample(
        "tex/slides.tex",
        "\\documentclass{beamer}\n\\usetheme{Madrid}\n\\title[Kurz]{Fähren im Winter}\n\\begin{document}\n\\begin{frame}\n\\titlepage\n\\end{frame}\n\\section{Eis}\n"
        "\\begin{frame}[fragile]{Wann fahren wir?}\n\\framesubtitle{Regeln}\n\\begin{itemize}[<+->]\n\\item<1-> Bis $-12$ Grad fahren wir.\n\\item Bei Packeis nie.\n\\end{itemize}\n\\pause\n"
        "\\alert{Anruf genügt.}\n\\end{frame}\n\\end{document}\n".encode(),
        (
            "Eis",
            "Wann fahren wir?",
            "Regeln",
            "Bis -12 Grad fahren wir.",
            "Bei Packeis nie.",
            "Anruf genügt.",
        ),
        ("Madrid", "fragile", "<1->"),
        "Fähren im Winter",
        ("Eis", "Wann fahren wir?"),
    )


def _sample(folder: str, name: str, story: Story, text: str, never: tuple[str, ...]) -> Sample:
    return Sample(f"{folder}/{name}", text.encode(), words_of(story), never, story.title, headings_of(story))


def _underlined(title: str, mark: str, *, over: bool = False) -> str:
    width = sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in title)
    line = mark * width
    return f"{line}\n{title}\n{line}" if over else f"{title}\n{line}"


def _rst(story: Story) -> str:
    blocks: list[str] = []
    for kind, items in parts_of(story):
        first = items[0]
        if kind in {"h2", "h3"}:
            blocks.append(_underlined(first[0], "-" if kind == "h2" else "~"))
        elif kind == "p":
            blocks.append(_wrap(first[0]))
        elif kind == "li":
            blocks.append("\n".join(f"* {text}" for (text,) in items))
        elif kind == "ol":
            blocks.append("\n".join(f"#. {text}" for (text,) in items))
        elif kind == "row":
            rows = "\n".join("   * - " + "\n     - ".join(row) for row in items)
            blocks.append(f".. list-table::\n   :header-rows: 1\n\n{rows}")
        elif kind == "code":
            code = first[1].replace("\n", "\n   ")
            blocks.append(f".. code-block:: {first[0]}\n\n   {code}")
        elif kind == "note":
            blocks.append(f".. admonition:: {first[0]}\n\n   {first[1]}")
        elif kind == "tabs":
            tabs = zip(first[::2], first[1::2], strict=True)
            blocks.append(
                ".. tabs::\n\n" + "\n\n".join(f"   .. tab:: {label}\n\n      {text}" for label, text in tabs)
            )
    return "\n\n".join(blocks) + "\n"


def _adoc(story: Story) -> str:
    blocks: list[str] = []
    for kind, items in parts_of(story):
        first = items[0]
        if kind in {"h2", "h3"}:
            blocks.append(f"{'==' if kind == 'h2' else '==='} {first[0]}")
        elif kind == "p":
            blocks.append(_wrap(first[0]))
        elif kind in {"li", "ol"}:
            blocks.append("\n".join(f"{'*' if kind == 'li' else '.'} {text}" for (text,) in items))
        elif kind == "row":
            rows = "\n".join("| " + " | ".join(row) for row in items)
            blocks.append(f"[%header,cols={len(first)}*]\n|===\n{rows}\n|===")
        elif kind == "code":
            blocks.append(f"[source,{first[0]}]\n----\n{first[1]}\n----")
        elif kind == "note":
            blocks.append(f"[WARNING]\n.{first[0]}\n====\n{first[1]}\n====")
        elif kind == "tabs":
            tabs = zip(first[::2], first[1::2], strict=True)
            blocks.append(
                "[tabs]\n====\n"
                + "\n\n".join(f"{label}::\n+\n--\n{text}\n--" for label, text in tabs)
                + "\n===="
            )
    return "\n\n".join(blocks) + "\n"


def _org(story: Story) -> str:
    blocks: list[str] = []
    for kind, items in parts_of(story):
        first = items[0]
        if kind in {"h2", "h3"}:
            blocks.append(f"{'*' if kind == 'h2' else '**'} {first[0]}")
        elif kind == "p":
            blocks.append(_wrap(first[0]))
        elif kind == "li":
            blocks.append("\n".join(f"- {text}" for (text,) in items))
        elif kind == "ol":
            blocks.append("\n".join(f"{number}. {text}" for number, (text,) in enumerate(items, start=1)))
        elif kind == "row":
            rows = [f"| {' | '.join(row)} |" for row in items]
            blocks.append("\n".join([rows[0], f"|{'+'.join('---' for _ in first)}|", *rows[1:]]))
        elif kind == "code":
            blocks.append(f"#+begin_src {first[0]}\n{first[1]}\n#+end_src")
        elif kind == "note":
            blocks.append(f"#+begin_quote\n*{first[0]}*\n{first[1]}\n#+end_quote")
        elif kind == "tabs":
            blocks.append("\n".join(f"- {a} :: {b}" for a, b in zip(first[::2], first[1::2], strict=True)))
    return "\n\n".join(blocks) + "\n"


_TEX_SIGNS: Final = {
    "%": "\\%",
    "&": "\\&",
    "€": "\\texteuro{}",
    "„": "\\glqq{}",
    "“": "\\grqq{}",
    "°": "\\textdegree{}",
    "_": "\\_",
}


def _tex_text(text: str) -> str:
    return "".join(_TEX_SIGNS.get(char, char) for char in text)


def _tex(story: Story) -> str:
    blocks: list[str] = []
    for kind, items in parts_of(story):
        first = items[0]
        texts = [_tex_text(text) for text in first]
        if kind in {"h2", "h3"}:
            blocks.append(f"\\{'sub' * (kind == 'h3')}section{{{texts[0]}}}\\label{{sec:{len(blocks)}}}")
        elif kind == "p":
            blocks.append(_wrap(texts[0]))
        elif kind in {"li", "ol"}:
            name = "itemize" if kind == "li" else "enumerate"
            lines = "\n".join(f"  \\item {_tex_text(text)}" for (text,) in items)
            blocks.append(f"\\begin{{{name}}}\n{lines}\n\\end{{{name}}}")
        elif kind == "row":
            rows = [" & ".join(map(_tex_text, row)) + " \\\\" for row in items]
            body = "\n".join([rows[0], "\\midrule", *rows[1:]])
            blocks.append(
                f"\\begin{{table}}[ht]\n\\centering\n\\begin{{tabular}}{{@{{}}{'l' * len(first)}@{{}}}}\n\\toprule\n{body}\n\\bottomrule\n"
                "\\end{tabular}\n\\end{table}"
            )
        elif kind == "code":
            blocks.append(f"\\begin{{verbatim}}\n{first[1]}\n\\end{{verbatim}}")
        elif kind == "note":
            blocks.append(f"\\textbf{{{texts[0]}}} {texts[1]}")
        elif kind == "tabs":
            tabs = "\n".join(f"  \\item[{a}] {b}" for a, b in zip(texts[::2], texts[1::2], strict=True))
            blocks.append(f"\\begin{{description}}\n{tabs}\n\\end{{description}}")
    return "\n\n".join(blocks) + "\n"


def _wrap(text: str) -> str:
    """A paragraph over two lines, as an editor fills it: at a space."""
    at = text.find(" ", len(text) // 2)
    return f"{text[:at]}\n{text[at + 1 :]}" if at > 0 else text
