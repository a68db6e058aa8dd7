r"""ingest.parsers.latex: LaTeX as a reader of the printed page sees it."""

from __future__ import annotations

import pytest

from app.domain import Document
from ingest.parsers import parse


def latex(text: str) -> Document:
    return parse(text.encode(), "text/x-tex", "papers/page.tex")


def body(text: str) -> str:
    return latex(f"\\documentclass{{article}}\n\\begin{{document}}\n{text}\n\\end{{document}}\n").text


def test_headings_and_title() -> None:
    r"""F-1103: no LaTeX file had a heading, and its title was "\documentclass{article}"."""
    document = latex(
        "\\documentclass[12pt]{article}\n\\usepackage{x} % comment\n\\title{Kiln \\emph{guide} 窑}\n\\author{Ann}\n"
        "\\begin{document}\n\\maketitle\n\\section*{One}\\label{a}\na % hidden\n\nb\n\\subsection{Two}\nc\n"
        "\\section{End}\nd\n\\end{document}\nafter\n"
    )
    assert document.title == "Kiln guide 窑"
    assert [section.heading_path for section in document.sections] == [
        ("Kiln guide 窑",),
        ("Kiln guide 窑", "One"),
        ("Kiln guide 窑", "One", "Two"),
        ("Kiln guide 窑", "End"),
    ]
    assert document.text == "# Kiln guide 窑\n\nAnn\n\n## One\n\na\n\nb\n\n### Two\n\nc\n\n## End\n\nd"
    assert document.metadata == {"author": "Ann"}
    assert latex("\\chapter{A}\nx\n\\section{B}\ny\n").text == "# A\n\nx\n\n## B\n\ny"


def test_lists_quotes_and_code() -> None:
    text = body(
        "\\begin{itemize}\n\\item one\n\\begin{enumerate}\\item in\\end{enumerate}\n\\item[Term] two\n\\end{itemize}\n"
        "\\begin{quote}Said.\\end{quote}\n\\begin{lstlisting}[language=Python]\nx = 1 % no comment\n\\end{lstlisting}\n"
        "\\begin{theorem}[Big] It holds.\\end{theorem}"
    )
    assert text == (
        "- one\n  1. in\n- Term: two\n\n> Said.\n\n```python\nx = 1 % no comment\n```\n\nTheorem (Big): It holds."
    )


def test_tables() -> None:
    text = body(
        "\\begin{table}\\caption{Limits}\\begin{tabular}{l|l}\\toprule Model & bar \\\\ \\hline A1 & 40 \\\\\n"
        "\\multirow{2}{*}{B} & 1 \\\\ & 2 \\\\ \\multicolumn{2}{c}{end} \\\\ \\bottomrule\\end{tabular}\\end{table}"
    )
    assert text == "Limits\n\n| Model | bar |\n| --- | --- |\n| A1 | 40 |\n| B | 1 |\n| B | 2 |\n| end |  |"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "\\textbf{a} \\href{http://x}{the site}, caf\\'e --- ``q'' \\cite{key}",
            "a the site, café — “q” [key]",
        ),
        ("10$^{-6}$, $x^2 + \\frac{a}{b}$, $\\alpha \\leq \\beta$, 50\\,\\%", "10⁻⁶, x² + a/b, α≤β, 50 %"),
        ("\\unknown{kept} \\verb|a_b| note\\footnote{Small.}", "kept a_b note (Small.)"),
        ("温度\\textbf{很高}。", "温度很高。"),
    ],
)
def test_inline(text: str, words: str) -> None:
    assert " ".join(body(text).split()) == words


def test_what_points_elsewhere_is_left_out() -> None:
    text = "Text.\n\\input{/etc/passwd}\\includegraphics[width=3cm]{x.png}\\begin{comment}no\\end{comment}"
    document = latex(f"{text}\\begin{{tikzpicture}}\\draw (0,0);\\end{{tikzpicture}}")
    assert document.text == "Text."
    assert document.dropped == {"drawing": len("\\draw (0,0);"), "comment": 2}


@pytest.mark.parametrize(
    "text",
    [
        "{" * 50_000 + "x",
        "\\begin{a}" * 2_000 + "x",
        "\\begin{verbatim}" * 20_000 + "x",
        "$" * 20_001 + "x",
        "x \\section \\href $\\frac$",
    ],
    ids=["braces", "environments", "verbatim", "dollars", "arguments"],
)
def test_hostile_text_is_read(text: str) -> None:
    assert "x" in latex(text).text


def test_comments_of_lines_are_counted() -> None:
    text = "% a note\n\\section{One}\n50 \\% of it % why\n\\begin{verbatim}\n% code\n\\end{verbatim}\n"
    document = latex(text)
    assert "50 % of it" in document.text
    assert "% code" in document.text
    assert document.dropped == {"comment": len("% a note") + len("% why")}
