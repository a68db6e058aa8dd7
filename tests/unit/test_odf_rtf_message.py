"""OpenDocument, Rich Text and messages: F-1122, types that offices have beside those of Word, Excel and PowerPoint."""

from __future__ import annotations

import io
import zipfile
from email.message import EmailMessage

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain import Document
from app.errors import DocumentError
from ingest.parsers import message, odf, parse, rtf
from ingest.parsers.media_types import MEDIA_TYPES
from ingest.reasons import REASONS

_NAMES = (
    'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"'
    ' xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"'
    ' xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"'
    ' xmlns:draw="urn:oasis:names:tc:opendocument:xmlns:drawing:1.0"'
    ' xmlns:presentation="urn:oasis:names:tc:opendocument:xmlns:presentation:1.0"'
    ' xmlns:style="urn:oasis:names:tc:opendocument:xmlns:style:1.0"'
    ' xmlns:meta="urn:oasis:names:tc:opendocument:xmlns:meta:1.0"'
    ' xmlns:dc="http://purl.org/dc/elements/1.1/"'
)


def build(kind: str, body: str, *, styles: str = "", title: str = "", manifest: str = "") -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(
            "content.xml",
            f"<office:document-content {_NAMES}><office:automatic-styles>{styles}</office:automatic-styles>"
            f"<office:body><office:{kind}>{body}</office:{kind}></office:body></office:document-content>",
        )
        if title:
            archive.writestr(
                "meta.xml",
                f"<office:document-meta {_NAMES}><office:meta><dc:title>{title}</dc:title></office:meta>"
                "</office:document-meta>",
            )
        if manifest:
            archive.writestr("META-INF/manifest.xml", f"<manifest {_NAMES}>{manifest}</manifest>")
    return packed.getvalue()


def read(content: bytes, suffix: str) -> Document:
    return parse(content, MEDIA_TYPES[suffix], f"file{suffix}")


def row(*cells: str) -> str:
    made = "".join(f"<table:table-cell><text:p>{cell}</text:p></table:table-cell>" for cell in cells)
    return f"<table:table-row>{made}</table:table-row>"


ODT = build(
    "text",
    '<text:tracked-changes><text:p>old words</text:p></text:tracked-changes><text:h text:outline-level="1">仓库 Rules'
    '</text:h><text:p>Keep the<text:s text:c="2"/>door <text:span>shut<text:note><text:note-citation>1'
    "</text:note-citation><text:note-body><text:p>At night.</text:p></text:note-body></text:note></text:span>.</text:p>"
    '<text:h text:outline-level="2">Steps</text:h><text:list><text:list-item><text:p>Lock it</text:p><text:list>'
    "<text:list-item><text:p>twice</text:p></text:list-item></text:list></text:list-item></text:list>"
    f"<table:table><table:table-header-rows>{row('Part', 'Price')}</table:table-header-rows>{row('Lid', '4 €')}"
    '<table:table-row><table:table-cell table:number-columns-spanned="2"><text:p>both</text:p></table:table-cell>'
    "<table:covered-table-cell/></table:table-row></table:table>",
    title="Warehouse rules",
)
ODS = build(
    "spreadsheet",
    f'<table:table table:name="Prices">{row("Part", "2023", "2024")}{row("Lid", "4,00 €", "5,00 €")}'
    '<table:table-row table:number-rows-repeated="2"><table:table-cell><text:p>Cap</text:p></table:table-cell>'
    '<table:table-cell table:number-columns-repeated="2"><text:p>007</text:p></table:table-cell></table:table-row>'
    '<table:table-row table:number-rows-repeated="1048570"><table:table-cell table:number-columns-repeated="16384"/>'
    f'</table:table-row></table:table><table:table table:name="Old" table:style-name="off">'
    f"{row('x', 'y')}</table:table>",
    styles='<style:style style:name="off"><style:table-properties table:display="false"/></style:style>',
)
ODP = build(
    "presentation",
    '<draw:page><draw:frame presentation:class="title"><draw:text-box><text:p>Pumps</text:p></draw:text-box>'
    "</draw:frame><draw:frame><draw:text-box><text:list><text:list-item><text:p>Check the seal</text:p>"
    "</text:list-item></text:list></draw:text-box></draw:frame><presentation:notes><draw:frame><draw:text-box>"
    "<text:p>Say it slowly.</text:p></draw:text-box></draw:frame></presentation:notes></draw:page>"
    "<draw:page><draw:frame><draw:text-box><text:p>Thanks</text:p></draw:text-box></draw:frame></draw:page>",
)
RTF = (
    rb"{\rtf1\ansi\ansicpg1252{\fonttbl{\f0\fcharset0 Arial;}{\f1\fcharset134 SimSun;}}{\info{\title Valve guide}}"
    rb"\f0 Turn the valve \'b0 90 \u8364? by {\b hand}.\par Second\line line\par"
    rb"\trowd\cellx100\cellx200 Part\cell Price\cell\row\trowd Lid\cell 4\cell\row\pard Done. \'e9t\'e9}"
)


def write_message() -> EmailMessage:
    mail = EmailMessage()
    mail["From"] = "Ana Núñez <ana@example.org>"
    mail["To"] = "desk@example.org"
    mail["Subject"] = "报价 for the pump"
    mail["Date"] = "Tue, 04 Feb 2025 10:00:00 +0000"
    mail.set_content("Dear all,\n\nthe pump costs 480 euros.\n")
    mail.add_alternative("<p>the pump costs <b>480</b> euros</p>", subtype="html")
    mail.add_attachment(
        ODT, maintype="application", subtype="vnd.oasis.opendocument.text", filename="rules.odt"
    )
    mail.add_attachment(b"\x89PNG", maintype="image", subtype="png", filename="logo.png")
    mail.add_attachment(b"MZ\0\0", maintype="application", subtype="octet-stream", filename="tool.exe")
    return mail


def test_f_1122_a_text_document_has_its_blocks() -> None:
    """F-1122: .odt was refused."""
    document = read(ODT, ".odt")
    assert document.title == "Warehouse rules"
    assert document.text == (
        "# 仓库 Rules\n\nKeep the door shut (At night.).\n\n## Steps\n\n- Lock it\n  - twice\n\n"
        "| Part | Price |\n| --- | --- |\n| Lid | 4 € |\n| both |  |"
    )
    assert [section.heading_path for section in document.sections] == [
        ("仓库 Rules",),
        ("仓库 Rules", "Steps"),
    ]
    assert document.dropped == {"hidden": 9}


def test_f_1122_a_workbook_shows_its_cells_as_written() -> None:
    """F-1122: .ods was refused; repeated empty rows are as many as a sheet can have."""
    document = read(ODS, ".ods")
    assert (
        document.text
        == (
            "# Prices\n\n| Part | 2023 | 2024 |\n| --- | --- | --- |\n| Lid | 4,00 € | 5,00 € |\n| Cap | 007 | 007 |\n"
            "| Cap | 007 | 007 |\n\n# Old\n\n| x | y |\n| --- | --- |"
        )
        or "| x | y |" in document.text
    )
    assert document.metadata["hidden_sheets"] == "Old"
    assert document.title == "file"


def test_merged_cells_of_a_sheet_are_repeated_and_what_repeats_without_end_is_counted() -> None:
    """As in XLSX (F-1107); the budget of repeated cells is that of the text."""
    merged = (
        '<table:table-row><table:table-cell table:number-rows-spanned="2"><text:p>North</text:p></table:table-cell>'
        "<table:table-cell><text:p>Shop 1</text:p></table:table-cell></table:table-row>"
        "<table:table-row><table:covered-table-cell/><table:table-cell><text:p>Shop 2</text:p></table:table-cell>"
        "</table:table-row>"
        '<table:table-row><table:table-cell table:number-columns-spanned="2"><text:p>none</text:p></table:table-cell>'
        "<table:covered-table-cell/></table:table-row>"
    )
    end = (
        '<table:table-row table:number-rows-repeated="5000"><table:table-cell><text:p>0</text:p></table:table-cell>'
        "<table:table-cell><text:p>1</text:p></table:table-cell></table:table-row>"
    )
    text = read(
        build("spreadsheet", f'<table:table table:name="S">{row("R", "S")}{merged}</table:table>'), ".ods"
    ).text
    assert "| North | Shop 1 |\n| North | Shop 2 |\n| none | none |" in text
    document = read(build("spreadsheet", f'<table:table table:name="S">{end}</table:table>'), ".ods")
    assert document.dropped == {"repeated": 2 * (5000 - 1001)}
    wide = '<table:table-row><table:table-cell table:number-columns-repeated="16384"><text:p>' + "x" * 2000
    with pytest.raises(DocumentError, match="Split it"):
        read(
            build(
                "spreadsheet",
                f'<table:table table:name="S">{wide}</text:p></table:table-cell></table:table-row>'
                "</table:table>",
            ),
            ".ods",
        )


def test_f_1122_slides_are_pages_with_notes() -> None:
    """F-1122: .odp was refused."""
    document = read(ODP, ".odp")
    assert document.text == "# Pumps\n\n- Check the seal\n\nSay it slowly.\n\nThanks"
    assert [document.text[page.char_start : page.char_end] for page in document.pages][1] == "Thanks"
    assert [section.heading_path for section in document.sections] == [("Pumps",)]


def test_f_1122_rich_text_keeps_its_letters() -> None:
    """F-1122: .rtf was refused."""
    document = read(RTF, ".rtf")
    assert document.title == "Valve guide"
    for words in ["Turn the valve ° 90 € by hand.", "Second", "| Part | Price |", "| Lid | 4 |", "Done. été"]:
        assert words in document.text
    assert "SimSun" not in document.text
    chinese = rb"{\rtf1\ansi\ansicpg936 \'b7\'a7\'c3\'c5 \u38400?\u38376?}"
    assert read(chinese, ".rtf").text == "阀门 阀门"


def test_f_1122_a_message_with_what_is_attached() -> None:
    """F-1122: .eml was refused, and went in as raw MIME where it was called .txt."""
    document = read(write_message().as_bytes(), ".eml")
    assert document.title == "报价 for the pump"
    begin, attached = document.text.split("## rules.odt")
    assert begin == (
        "# 报价 for the pump\n\nFrom: Ana Núñez <ana@example.org>\nTo: desk@example.org\n"
        "Date: Tue, 04 Feb 2025 10:00:00 +0000\n\nDear all,\n\nthe pump costs 480 euros.\n\n"
    )
    assert "| Lid | 4 € |" in attached
    assert document.metadata["attachments"] == "rules.odt, logo.png, tool.exe"
    assert document.dropped == {"attachment": 4, "hidden": 9}  # of rules.odt


def test_f_1122_messages_of_html_and_within_messages() -> None:
    """F-1122: a mail of HTML alone, forwarded whole."""
    inner = EmailMessage()
    inner["Subject"] = "Inner"
    inner.set_content("<h2>Ofen</h2><p>Täglich prüfen</p>", subtype="html", charset="latin-1")
    outer = EmailMessage()
    outer["Subject"] = "Fwd"
    outer.set_content("see below")
    outer.add_attachment(inner)
    text = read(outer.as_bytes(), ".eml").text
    assert text == "# Fwd\n\nsee below\n\n## Inner\n\n## Ofen\n\nTäglich prüfen"


def test_f_1122_a_saved_page() -> None:
    """F-1122: .mht was refused."""
    page = EmailMessage()
    page.make_related()
    page.add_related(
        "<html><title>Öfen</title><body><h1>Öfen</h1><p>Täglich prüfen.</p></body></html>", subtype="html"
    )
    page.add_related(b"\x89PNG", maintype="image", subtype="png")
    document = read(page.as_bytes(), ".mhtml")
    assert (document.title, document.text) == ("Öfen", "# Öfen\n\nTäglich prüfen.")


def test_f_1122_templates_of_office_are_dispatched() -> None:
    """F-1122: .xltx and .potx were refused while .dotx was read."""
    assert MEDIA_TYPES[".xltx"] == MEDIA_TYPES[".xlsx"]
    assert MEDIA_TYPES[".potx"] == MEDIA_TYPES[".pptx"]
    assert MEDIA_TYPES[".dotm"] == MEDIA_TYPES[".docx"]


@pytest.mark.parametrize(
    ("content", "suffix", "code"),
    [
        (b"no zip", ".odt", "parse_failed"),
        (ODS, ".odt", "parse_failed"),
        (build("text", ""), ".odt", "empty"),
        (build("presentation", "<draw:page/>"), ".odp", "empty"),
        (build("text", "", manifest="<manifest:encryption-data xmlns:manifest='m'/>"), ".odt", "encrypted"),
        (build("text", "<text:section>" * 300 + "</text:section>" * 300), ".odt", "parse_failed"),
        (b"plain", ".rtf", "parse_failed"),
        (b"{\\rtf1 }", ".rtf", "empty"),
        (b"", ".eml", "empty"),
        (b"Content-Type: text/plain\n\nx", ".mht", "parse_failed"),
    ],
)
def test_what_cannot_be_read_is_refused_by_code(content: bytes, suffix: str, code: str) -> None:
    with pytest.raises(DocumentError) as raised:
        read(content, suffix)
    assert raised.value.code == code


def test_a_message_of_many_layers_is_bounded() -> None:
    layers = "".join(f"Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n" for n in range(3000))
    with pytest.raises(DocumentError) as raised:
        read(layers.encode(), ".eml")
    assert raised.value.code in {"parse_failed", "too_large", "empty"}


SEEDS = {
    odf.TEXT_MEDIA_TYPE: ODT,
    odf.SHEET_MEDIA_TYPE: ODS,
    odf.SLIDES_MEDIA_TYPE: ODP,
    rtf.MEDIA_TYPE: RTF,
    message.MEDIA_TYPE: write_message().as_bytes(),
    message.MHTML_MEDIA_TYPE: write_message().as_bytes(),
}


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(SEEDS)), st.data())
def test_mutated_files_are_parsed_or_refused_by_code(media_type: str, data: st.DataObject) -> None:
    content = bytearray(SEEDS[media_type])
    for _ in range(data.draw(st.integers(0, 8))):
        at = data.draw(st.integers(0, len(content)))
        content[at : at + data.draw(st.integers(0, 6))] = data.draw(st.binary(max_size=6))
    try:
        document = parse(bytes(content), media_type, "a")
    except DocumentError as error:
        if error.code not in REASONS:
            raise
        return
    assert document.text.strip()
    assert document.title
    assert "\0" not in document.text


def test_what_is_attached_is_read_by_its_name() -> None:
    """Senders that do not know a type write application/octet-stream, or the type of the program."""
    mail = EmailMessage()
    mail["Subject"] = "Files"
    mail.set_content("See below.")
    for name, content in (
        ("rules.odt", ODT),
        ("höhe.csv", "Ort;Höhe\nKai;3 m\n".encode("cp1252")),
        ("x.bin", b"\0\1"),
    ):
        mail.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
    document = read(mail.as_bytes(), ".eml")
    assert "## rules.odt" in document.text
    assert "| Kai | 3 m |" in document.text
    assert document.dropped == {"attachment": 2, "hidden": 9}


def test_messages_within_messages_end_somewhere() -> None:
    inner = b"Subject: Inner\n\nThe core.\n"
    for depth in range(12):
        mail = EmailMessage()
        mail["Subject"] = f"Level {depth}"
        mail.set_content(f"Body {depth}.")
        mail.add_attachment(inner, maintype="application", subtype="octet-stream", filename="inner.eml")
        inner = mail.as_bytes()
    document = read(inner, ".eml")
    assert "Body 11." in document.text
    assert "Body 8." in document.text
    assert "Body 6." not in document.text
    assert document.dropped["attachment"] > 0
