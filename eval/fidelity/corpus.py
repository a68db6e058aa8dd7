"""All files of the fidelity set, made anew each time from code: the same bytes, no file in the repository."""

from __future__ import annotations

from collections.abc import Iterator

from eval.fidelity import (
    book_files,
    data_files,
    mail_files,
    markdown_files,
    markup_files,
    markup_hard,
    more_files,
    office_hard,
    opendocument_files,
    outlook_files,
    page_hard,
    page_tools,
    pages,
    pdf_files,
    pdf_hard,
    rich_files,
    slide_files,
    text_files,
    word_files,
    word_hard,
    workbooks,
)
from eval.fidelity.sample import Sample

_MAKERS = (
    pages.make_page_files,
    page_hard.make_hard_pages,
    page_tools.make_tool_pages,
    markdown_files.make_markdown,
    markdown_files.make_kin,
    text_files.make_text,
    markup_files.make_rst,
    markup_files.make_adoc,
    markup_files.make_org,
    markup_files.make_tex,
    pdf_files.make_pdf,
    pdf_hard.make_hard_pdf,
    word_files.make_word,
    word_hard.make_hard_word,
    slide_files.make_slides,
    workbooks.make_workbooks,
    opendocument_files.make_text,
    opendocument_files.make_sheets,
    opendocument_files.make_decks,
    rich_files.make_rich,
    data_files.make_tables,
    data_files.make_json,
    data_files.make_notebooks,
    book_files.make_books,
    mail_files.make_mail,
    outlook_files.make_outlook,
    mail_files.make_saved_pages,
    text_files.make_subtitles,
    text_files.make_code,
    markup_hard.make_hard_markup,
    office_hard.make_office,
    more_files.make_more,
)


def make_samples() -> Iterator[Sample]:
    """Yield every file, formats in a row."""
    for make in _MAKERS:
        yield from make()
