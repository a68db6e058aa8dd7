"""Which languages a document's sections, and it itself, are in."""

from __future__ import annotations

import pytest

from app.domain import Document, Section
from app.letters import detect_language
from ingest.language import with_languages
from ingest.parsers.markdown import parse_markdown

ENGLISH = "Annual leave is taken after two working days of notice, and carried over until March."
CHINESE = "年假须提前两个工作日申请，未休完的年假可以结转到次年三月。"
JAPANESE = "有給休暇は二営業日前までに申請し、残りは翌年の三月まで繰り越せます。"
GERMAN = (
    "Der Urlaub ist zwei Werktage vorher zu beantragen und wird bis zum März des nächsten Jahres übertragen."
)
RUSSIAN = "Отпуск согласуется за два рабочих дня и переносится до марта следующего года."


def languages(text: str) -> tuple[tuple[str, ...], list[str | None]]:
    """All of a Markdown text's, and those of its sections."""
    found = with_languages(parse_markdown(text.encode(), "a.md"))
    return found.languages, [section.language for section in found.sections]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"# Leave\n\n{ENGLISH}\n", (("en",), ["en"])),
        (f"# Leave\n\n{ENGLISH} {ENGLISH}\n\n## 年假\n\n{CHINESE}\n", (("en", "zh"), ["en", "zh"])),
        (f"# 年假\n\n{CHINESE}\n\n{CHINESE}\n\n## Leave\n\n{ENGLISH}\n", (("zh", "en"), ["zh", "en"])),
        # under one heading, paragraph by paragraph
        (f"# Leave 年假\n\n{ENGLISH}\n\n{CHINESE}\n", (("zh", "en"), ["zh"])),
        (
            f"# Leave\n\n{ENGLISH} {ENGLISH}\n\n{ENGLISH}\n\n## 休暇\n\n{JAPANESE}\n",
            (("en", "und"), ["en", "und"]),
        ),
        (
            f"# Leave\n\n{4 * ENGLISH}\n\n## Отпуск\n\n{RUSSIAN}\n",
            (("en", "und"), ["en", "und"]),
        ),
        (
            f"# Leave\n\n{4 * ENGLISH}\n\n## Urlaub\n\n{GERMAN}\n",
            (("en", "de"), ["en", "de"]),
        ),
        # names, numbers and code say nothing of the language
        (f"# 年假\n\n{CHINESE}\n\n## FM-40 2.4\n\n| A-1 | 10 |\n", (("zh",), ["zh", "zh"])),
        (f"# 年假\n\n{CHINESE}\n\n## 示例\n\n```\n{ENGLISH}\n{ENGLISH}\n```\n", (("zh",), ["zh", "zh"])),
        (f"# Leave\n\n{ENGLISH}\n\nIt is called 年假 in China.\n", (("en",), ["en"])),
    ],
    ids=["one", "second", "second-en", "paragraphs", "ja", "ru", "de", "table", "code", "word"],
)
def test_a_section_has_a_language_and_a_document_all_of_its_sections(
    text: str, expected: tuple[tuple[str, ...], list[str]]
) -> None:
    """Issue 13.8: a file in two languages was in one, and a filter for the other did not find it."""
    assert languages(text) == expected


def test_a_text_without_headings_is_in_the_languages_of_its_paragraphs() -> None:
    text = f"{ENGLISH}\n\n{CHINESE}\n\n{ENGLISH}"
    assert with_languages(Document(text, "", "text/plain", detect_language(text))).languages == ("en", "zh")


def test_sections_that_hold_nothing_are_in_the_language_of_their_document() -> None:
    document = Document(
        "# A\n\n# B\n", "", "text/markdown", "und", sections=(Section(0, 3, ("A",)), Section(5, 8, ("B",)))
    )
    found = with_languages(document)
    assert found.languages == ("und",)
    assert [section.language for section in found.sections] == ["und", "und"]
