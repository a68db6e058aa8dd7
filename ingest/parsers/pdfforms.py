"""Values of a PDF's form fields → words where they are shown, among the words of the page.

A field's value stands in the form and not in the page's text. Calls pdfium, under the lock of `pdf`.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator

import pypdfium2
import pypdfium2.raw as pdfium_c

from ingest.parsers.lines import WHOLE
from ingest.parsers.pdfwords import Word, as_shown

_MAX_FIELDS = 2_000  # of a page
_MAX_VALUE_BYTES = 200_000
_HIDDEN = pdfium_c.FPDF_ANNOT_FLAG_HIDDEN | pdfium_c.FPDF_ANNOT_FLAG_NOVIEW
_PASSWORD = 1 << 13  # ISO 32000-1, 12.7.4.3
_TICKED = "☑"
_WRITTEN = frozenset(
    {pdfium_c.FPDF_FORMFIELD_TEXTFIELD, pdfium_c.FPDF_FORMFIELD_COMBOBOX, pdfium_c.FPDF_FORMFIELD_LISTBOX}
)
_TICKS = frozenset({pdfium_c.FPDF_FORMFIELD_CHECKBOX, pdfium_c.FPDF_FORMFIELD_RADIOBUTTON})
_LINE_HEIGHT = 12.0  # points, of a page without words


def add_values(page: pypdfium2.PdfPage, lines: list[list[Word]]) -> list[list[Word]]:
    """Return the lines of a page with the values of its fields, each in the line of its label where it has one."""
    if page.formenv is None:
        return lines
    heights = sorted(word.y1 - word.y0 for line in lines for word in line)
    height = heights[len(heights) // 2] if heights else _LINE_HEIGHT
    values = as_shown([list(_values(page, height or _LINE_HEIGHT))], page)
    if not values:
        return lines
    shown = {(word.text, round(word.y0 / 9)) for line in lines for word in line}
    lines = [list(line) for line in lines]
    for value in values[0]:
        if (value.text, round(value.y0 / 9)) not in shown:  # some programs write it on the page as well
            _insert(value._replace(text=value.text + WHOLE), lines)
    return lines


def _insert(value: Word, lines: list[list[Word]]) -> None:
    """Put a value behind the word on its left, else before the one on its right, else below the line above it."""
    middle = (value.y0 + value.y1) / 2
    beside = [
        (value.x0 - word.x1 if word.x0 <= value.x0 else (word.x0 - value.x0) * 100, number, index)
        for number, line in enumerate(lines)
        for index, word in enumerate(line)
        if word.y0 <= middle <= word.y1
    ]
    if beside:
        _, number, index = min(beside)
        line = lines[number]
        line.insert(index + (line[index].x0 <= value.x0), value._replace(seq=line[index].seq))
        return
    above = [(middle - line[0].y1, number) for number, line in enumerate(lines) if line[0].y1 <= middle]
    at = min(above)[1] + 1 if above else 0
    lines.insert(at, [value._replace(seq=lines[at - 1][0].seq if above else -1)])


def _values(page: pypdfium2.PdfPage, height: float) -> Iterator[Word]:
    form = page.formenv
    assert form is not None
    for index in range(min(pdfium_c.FPDFPage_GetAnnotCount(page.raw), _MAX_FIELDS)):
        annotation = pdfium_c.FPDFPage_GetAnnot(page.raw, index)
        if not annotation:
            continue
        try:
            yield from _value(form.raw, annotation, height)
        finally:
            pdfium_c.FPDFPage_CloseAnnot(annotation)


def _value(
    form: pdfium_c.FPDF_FORMHANDLE, annotation: pdfium_c.FPDF_ANNOTATION, height: float
) -> Iterator[Word]:
    if (
        pdfium_c.FPDFAnnot_GetSubtype(annotation) != pdfium_c.FPDF_ANNOT_WIDGET
        or pdfium_c.FPDFAnnot_GetFlags(annotation) & _HIDDEN
    ):
        return
    box = pdfium_c.FS_RECTF()
    if not pdfium_c.FPDFAnnot_GetRect(annotation, box):
        return
    kind = pdfium_c.FPDFAnnot_GetFormFieldType(form, annotation)
    text = ""
    if kind in _TICKS and pdfium_c.FPDFAnnot_IsChecked(form, annotation):
        text = _TICKED
    elif kind in _WRITTEN and not pdfium_c.FPDFAnnot_GetFormFieldFlags(form, annotation) & _PASSWORD:
        text = _written(form, annotation)
    lines = [
        line.strip() for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n") if line.strip()
    ]
    top = -box.top
    if len(lines) == 1:  # in the middle of its field
        top = -(box.top + box.bottom) / 2 - height / 2
    for number, line in enumerate(lines):
        x1 = max(box.left + 1, min(box.right, box.left + 0.4 * height * len(line)))
        yield Word(line, box.left, x1, top + number * height, top + (number + 1) * height, 0)


def _written(form: pdfium_c.FPDF_FORMHANDLE, annotation: pdfium_c.FPDF_ANNOTATION) -> str:
    size = pdfium_c.FPDFAnnot_GetFormFieldValue(form, annotation, None, 0)
    if not 2 < size <= _MAX_VALUE_BYTES:
        return ""
    buffer = ctypes.create_string_buffer(size)
    pdfium_c.FPDFAnnot_GetFormFieldValue(
        form, annotation, ctypes.cast(buffer, ctypes.POINTER(pdfium_c.FPDF_WCHAR)), size
    )
    return buffer.raw[: size - 2].decode("utf-16-le", errors="ignore")
