"""Values of form fields are read where they are shown."""

from __future__ import annotations

import pytest

from ingest.parsers import parse, pdf
from tests.pdfs import Drawn, draw_pdf


def field(x: float, y: float, width: float, entries: str, height: float = 18) -> bytes:
    return f"/Rect [{x} {y} {x + width} {y + height}] /F 4 {entries}".encode()


def text_field(x: float, y: float, value: str, flags: int = 0) -> bytes:
    return field(x, y, 200, f"/FT /Tx /Ff {flags} /V <feff{value.encode('utf-16-be').hex()}>")


LABELS: list[Drawn] = [
    (50, 1000, "Name of holder:"),
    (50, 970, "Address:"),
    (400, 970, "Valid until:"),
    (50, 940, "持有人："),
    (80, 910, "Renewal"),
    (80, 880, "First issue"),
    (50, 850, "The card stays the property of the works."),
]


def test_values_stand_beside_their_labels() -> None:
    """F-1119: they were lost, and not counted."""
    ticks = "/FT /Btn /V /Yes /AS /Yes /AP << /N << /Yes 5 0 R /Off 5 0 R >> >>"
    fields = [
        text_field(160, 996, "Ingrid Solbakken"),
        text_field(120, 966, "Sjøgata 3\r\n4808 Arendal"),
        text_field(480, 966, "2026-05-31"),
        text_field(120, 936, "王小明"),
        field(56, 906, 14, ticks),
        field(56, 876, 14, ticks.replace("/V /Yes /AS /Yes", "/V /Off /AS /Off")),
        text_field(160, 700, "secret", 1 << 13),
        text_field(160, 600, ""),
    ]
    text = parse(draw_pdf([LABELS], fields=fields), pdf.MEDIA_TYPE, "a.pdf").text
    lines = [line for line in text.split("\n") if line]
    assert lines == [
        "Name of holder: Ingrid Solbakken",
        "Address: Sjøgata 3 Valid until: 2026-05-31",
        "4808 Arendal",
        "持有人： 王小明",
        "☑ Renewal",
        "First issue",
        "The card stays the property of the works.",
    ]


def test_a_form_with_nothing_else_is_no_scan() -> None:
    """F-1119: such files were refused as `no_text_layer`."""
    content = draw_pdf(
        [[]], fields=[text_field(160, 996, "Ingrid Solbakken"), text_field(160, 900, "Arendal")]
    )
    assert parse(content, pdf.MEDIA_TYPE, "a.pdf").text.split() == ["Ingrid", "Solbakken", "Arendal"]


@pytest.mark.parametrize("flag", [2, 32])
def test_hidden_fields_are_not_read(flag: int) -> None:
    hidden = text_field(160, 996, "draft").replace(b"/F 4", b"/F %d" % flag)
    assert parse(draw_pdf([[(50, 1000, "Name:")]], fields=[hidden]), pdf.MEDIA_TYPE, "a.pdf").text == "Name:"


def test_a_value_that_is_on_the_page_too_is_read_once() -> None:
    page: list[Drawn] = [(50, 1000, "Name:"), (165, 1000, "Ingrid")]
    content = draw_pdf([page], fields=[text_field(160, 996, "Ingrid")])
    assert parse(content, pdf.MEDIA_TYPE, "a.pdf").text.count("Ingrid") == 1
