"""A text layer that is not what the pages show is refused by a reason of its own; unusual texts are not."""

from __future__ import annotations

import random
from textwrap import wrap

import pytest

from app.errors import DocumentError
from ingest.parsers import parse, pdf
from tests.pdfs import build_pdf

ENGLISH = (
    "The pump station was rebuilt after the flood of last autumn. Its motors need less care than the old engines and"
    " tell the control room when a bearing gets hot. Whoever works there signs the log, locks the hall and hands the"
    " key to the porter. Visitors must wear helmets, gloves and shoes with steel caps in every part of the building."
    " Photographs may be taken from the gallery above the basin, never beside the switchboards or under the crane. A"
    " second inspection is planned for next year, when pipes between tank and plant will be replaced as well. Reports"
    " of both firms lie in the archive, together with drawings, invoices, delivery notes and all letters that were"
    " exchanged about warranty claims since spring; copies cost ten crowns, and originals never leave the reading room."
)
HAN = [chr(code) for code in range(0x4E00, 0x9FA5)]


def outcome(*lines: str) -> str:
    try:
        pages = [[part for line in lines for part in wrap(line, 90)]]
        return parse(build_pdf(pages), pdf.MEDIA_TYPE, "a.pdf").text
    except DocumentError as error:
        return error.code


@pytest.mark.parametrize(
    "text",
    [
        "\ufffd" * 14,
        "?@''-/",
        "Invoice " + "\ue012\ue034\ue056\ue078 \ue09a\ue0bc " * 9,
        "".join(chr(ord(char) - 29) if char.isalpha() else char for char in ENGLISH),
        "".join(random.Random(1).sample(HAN, 400)),
    ],
    ids=[
        "replacement characters",
        "signs",
        "private characters",
        "shifted letters",
        "other Chinese characters",
    ],
)
def test_a_broken_text_layer_is_never_ready(text: str) -> None:
    """F-1131: such files went in, and were said to be in a language that the model can't read."""
    assert outcome(text) == "broken_text_layer"


@pytest.mark.parametrize(
    "lines",
    [
        [ENGLISH],
        [f"V-{number:03} KX{number % 7} BRT {number * 7}" for number in range(90)],
        [f"{number} {number * 3.5} {number * number}" for number in range(60)],
        [f"{number:032x}" for number in range(10**30, 10**30 + 40 * 7**20, 7**20)],
        [f"{number} Chapter " + "." * 60 + f" {number * 9}" for number in range(1, 20)],
        ["Name: ________________________", "Date: ________________________"],
        ["\uf0b7 a list with signs of a symbol font", "\uf0b7 which has two lines"],
        ["Żółć gęślą jaźń. Příliš žluťoučký kůň úpěl ďábelské ódy. Árvíztűrő tükörfúrógép."] * 5,
        ["龘靐齉齾爩鱻麤龗灪吁龖厵滟爨癵籱饢驫鲡鹂鸾麣纞虋讟钃"],
    ],
    ids=["prose", "codes", "figures", "hashes", "leaders", "blanks", "bullets", "accents", "rare characters"],
)
def test_unusual_texts_are_read(lines: list[str]) -> None:
    assert outcome(*lines) not in {"broken_text_layer", "no_text_layer"}


def test_a_scan_is_not_called_broken() -> None:
    assert outcome("") == "no_text_layer"
