"""How well scans are read: characters in order, page recall of questions, time and memory.

    python -m eval.bench.scanned_pages pages --pdfs DIR | --texts DIR --font FONT.ttf [--limit 10]
    python -m eval.bench.scanned_pages recall --corpus DIR --questions FILE.jsonl --font FONT.ttf [--limit 100]

`pages` draws the pages of PDFs that have a text layer, or one page of each text, at 200 dpi, packs them into PDFs and
reads them as `ingest` does. A page's share is the length of the longest common subsequence of what was read and of
the text layer, as `ingest` reads it, over the latter's length; blanks do not count. `recall` sets texts on pages, as a
PDF with text and as one of pictures, takes both in, and asks: a question is answered where one of the first five hits
is of its document and stands on the page of its answer. Each prints one JSON object last.
"""

from __future__ import annotations

import asyncio
import difflib
import io
import json
import resource
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import pypdfium2
import typer
from PIL import Image, ImageDraw, ImageFont

from app.domain import Document
from eval.fidelity.pdf_writer import Line, Paper, write
from eval.system import SystemOpener
from ingest.parsers import pdf
from ingest.sandbox import SandboxedParser

app = typer.Typer(add_completion=False)

_DPI: Final = 200
_WIDTH, _HEIGHT = 1654, 2339  # A4 at 200 dpi
_LINES: Final = 44
_COLUMNS: Final = 88  # of a line; a Chinese character takes two
_FONT_SIZE: Final = 28  # pixels: 10 points
_TOP_K: Final = 5


def scan(pictures: Sequence[Image.Image]) -> bytes:
    """A PDF of grey pictures."""
    held = io.BytesIO()
    first, *others = [picture.convert("L") for picture in pictures]
    first.save(held, "PDF", save_all=True, append_images=others, resolution=_DPI)
    return held.getvalue()


def share(wanted: str, found: str) -> float:
    """Of the characters of a text those that were found, in order; a lower bound."""
    wanted, found = "".join(wanted.split()), "".join(found.split())
    matcher = difflib.SequenceMatcher(None, wanted, found, autojunk=False)
    return sum(block.size for block in matcher.get_matching_blocks()) / max(1, len(wanted))


def page_texts(document: Document) -> list[str]:
    """The stored text of each page."""
    return [document.text[page.char_start : page.char_end] for page in document.pages]


@app.command()
def pages(
    *,
    pdfs: Annotated[Path | None, typer.Option(help="Folder of PDFs with a text layer.")] = None,
    texts: Annotated[Path | None, typer.Option(help="Folder of texts that are set on pages.")] = None,
    font: Annotated[Path | None, typer.Option(help="A font that has the texts' characters.")] = None,
    limit: Annotated[int, typer.Option(help="Most pages of texts.")] = 10,
) -> None:
    """Read drawn pages."""
    shares: list[tuple[float, int]] = []
    seconds, peak = 0.0, 0
    with SandboxedParser() as plain, SandboxedParser.with_ocr() as reader:
        assert reader.confinement  # started
        jobs = _pages_of_pdfs(pdfs, plain) if pdfs else _pages_of_texts(texts, font, limit)
        for name, wanted, pictures in jobs:
            started = time.monotonic()
            read = reader.parse(scan(pictures), pdf.MEDIA_TYPE, name)
            seconds += time.monotonic() - started
            peak = max(peak, _peak_mib(reader.child_pid))
            for text, found, page in zip(wanted, page_texts(read), read.pages, strict=True):
                shares.append((share(text, found), len("".join(text.split()))))
                print(f"{name} p. {page.number}: {shares[-1][0]:.4f}, confidence {page.ocr_confidence}")
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    _report(
        pages=len(shares),
        in_order=round(sum(one * chars for one, chars in shares) / sum(chars for _, chars in shares), 4),
        worst=round(min(one for one, _ in shares), 4),
        seconds_a_page=round(seconds / len(shares), 2),
        cpu_seconds_a_page=round((used.ru_utime + used.ru_stime) / len(shares), 2),
        child_peak_mib=peak,
    )


Job = tuple[str, list[str], list[Image.Image]]  # name, the text of each page, the page


def _pages_of_pdfs(folder: Path, parser: SandboxedParser) -> Iterator[Job]:
    for path in sorted(folder.rglob("*.pdf")):
        content = path.read_bytes()
        wanted = page_texts(parser.parse(content, pdf.MEDIA_TYPE, path.name))
        drawn = pypdfium2.PdfDocument(content)
        yield path.name, wanted, [drawn[at].render(scale=_DPI / 72).to_pil() for at in range(len(drawn))]


def _pages_of_texts(folder: Path | None, font: Path | None, limit: int) -> Iterator[Job]:
    if folder is None or font is None:
        raise typer.BadParameter("--pdfs, or --texts and --font")
    letters = ImageFont.truetype(str(font), _FONT_SIZE)
    for path in sorted(path for path in folder.rglob("*") if path.is_file())[:limit]:
        sheet = list(_set(" ".join(path.read_text("utf-8").split())))[:_LINES]
        yield path.name, ["".join(sheet)], [_draw(sheet, letters)]


@app.command()
def recall(
    corpus: Annotated[Path, typer.Option(help="Folder of texts.")],
    questions: Annotated[Path, typer.Option(help="Questions with doc, context and answers.")],
    font: Annotated[Path, typer.Option(help="A font that has the texts' characters.")],
    *,
    documents: Annotated[int, typer.Option(help="So many of the texts, by the questions on them.")] = 4,
    limit: Annotated[int, typer.Option(help="Most questions.")] = 100,
) -> None:
    """Ask scanned pages and the same with a text layer."""
    asked = [json.loads(line) for line in questions.read_text("utf-8").splitlines()]
    by_doc: dict[str, list[dict[str, Any]]] = {}
    for question in asked:
        by_doc.setdefault(question["doc"], []).append(question)
    chosen = sorted(by_doc, key=lambda doc: -len(by_doc[doc]))[:documents]
    letters = ImageFont.truetype(str(font), _FONT_SIZE)
    with tempfile.TemporaryDirectory(prefix="pgask-ocr-") as made:
        folder = Path(made)
        (folder / "text").mkdir()
        (folder / "scan").mkdir()
        wanted: list[tuple[str, str, int]] = []  # question, document, page
        count = 0
        for doc in chosen:
            lines = list(_set(" ".join((corpus / doc).read_text("utf-8").replace("#", " ").split())))
            sheets = [lines[at : at + _LINES] for at in range(0, len(lines), _LINES)]
            count += len(sheets)
            stem = Path(doc).stem
            (folder / "text" / f"{stem}.pdf").write_bytes(_text_pdf(sheets))
            (folder / "scan" / f"{stem}.pdf").write_bytes(scan([_draw(sheet, letters) for sheet in sheets]))
            ends = _ends(sheets)
            everything = "".join("".join(lines).split())
            for question in by_doc[doc]:
                context = "".join(question["context"].split())
                at = everything.find(context)
                if question.get("answers") and at >= 0:
                    at += max(0, context.find("".join(question["answers"][0].split())))
                    page = next(number for number, end in enumerate(ends, start=1) if at < end)
                    wanted.append((question["question"], f"{stem}.pdf", page))
        wanted = wanted[:limit]
        found = asyncio.run(_ask(folder, wanted))
    _report(pages=count, questions=len(wanted), **found)


async def _ask(folder: Path, wanted: Sequence[tuple[str, str, int]]) -> dict[str, float]:
    figures: dict[str, float] = {}
    async with SystemOpener()() as system:
        for kind in ("text", "scan"):
            ingested = await system.ingest(folder / kind, f"ocr_{kind}", lambda _done, _total: None)
            figures[f"{kind}_seconds"] = round(ingested.seconds, 1)
            right = 0
            for question, doc, page in wanted:
                hits = (await system.retrieve(question, f"ocr_{kind}", _TOP_K)).hits
                right += any(
                    hit.source == doc and page in {place.page for place in hit.places} for hit in hits
                )
            figures[f"{kind}_page_recall@{_TOP_K}"] = round(right / max(1, len(wanted)), 4)
    return figures


def _set(text: str) -> Iterator[str]:
    """Lines of equal width; English breaks between words."""
    line, width = "", 0
    for char in text:
        line += char
        width += 1 + (char >= "\u2e80")
        if width >= _COLUMNS:
            cut = line.rfind(" ") + 1 or len(line)
            yield line[:cut].rstrip()
            line = line[cut:]
            width = sum(1 + (one >= "\u2e80") for one in line)
    if line.strip():
        yield line


def _ends(sheets: Sequence[Sequence[str]]) -> list[int]:
    """After how many characters that are no blanks each page ends."""
    ends, total = [], 0
    for sheet in sheets:
        total += len("".join("".join(sheet).split()))
        ends.append(total)
    return ends


def _text_pdf(sheets: Sequence[Sequence[str]]) -> bytes:
    paper = Paper()
    for number, sheet in enumerate(sheets):
        if number:
            paper.pages.append([])
        for at, line in enumerate(sheet):
            paper.draw(Line(60, 780 - 16 * at, line, 10, "subset"))
    return write(paper)


def _draw(sheet: Sequence[str], letters: ImageFont.FreeTypeFont) -> Image.Image:
    page = Image.new("L", (_WIDTH, _HEIGHT), 255)
    draw = ImageDraw.Draw(page)
    for at, line in enumerate(sheet):
        draw.text((150, 150 + 46 * at), line, font=letters, fill=0)
    return page


def _peak_mib(pid: int | None) -> int:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return int(status.partition("VmHWM:")[2].split()[0]) // 1024


def _report(**figures: object) -> None:
    print(json.dumps(figures))


if __name__ == "__main__":
    app()
