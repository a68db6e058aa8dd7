# ruff: noqa: E501 (lines of data)
"""Messages, tables, notebooks, books and subtitles with what real ones have; each a file of its own."""

from __future__ import annotations

import base64
import json
import quopri
from collections.abc import Iterator

from eval.fidelity.packing import pack
from eval.fidelity.pdf_writer import Line, Paper, Rule, write
from eval.fidelity.sample import Sample


def make_more() -> Iterator[Sample]:
    """Yield one file for each."""
    yield from _mail()
    yield from _tables()
    yield from _notebooks()
    yield from _subtitles()
    yield from _pdf()
    yield _book()


def _mail() -> Iterator[Sample]:
    head = "From: Ada <ada@kiln.example>\r\nTo: nils@yard.example\r\nDate: Sun, 1 Mar 2026 09:00:00 +0100\r\nMIME-Version: 1.0\r\n"
    split = "Subject: =?UTF-8?B?5YWz5LqO5LiJ5pyI?=\r\n =?UTF-8?B?6Iiq54+t55qE6YCa55+l?=\r\n"
    body = quopri.encodestring("航班自三月五日起恢复。\n\n发自我的手机\n".encode()).decode()
    yield Sample(
        "eml/phone-folded.eml",
        f"{head}{split}Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n{body}".encode(),
        ("关于三月航班的通知", "航班自三月五日起恢复。"),
        ("UTF-8", "quoted-printable"),
        "关于三月航班的通知",
    )
    wrong = f"{head}Subject: =?gb2312?B?{base64.b64encode('朱镕基路通告'.encode('gb18030')).decode()}?=\r\nContent-Type: text/plain; charset=gb2312\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    yield Sample(
        "eml/gbk-as-gb2312.eml",
        wrong.encode() + "朱镕基路自周一起封闭施工。\r\n".encode("gb18030"),
        ("朱镕基路通告", "朱镕基路自周一起封闭施工。"),
        (),
        "朱镕基路通告",
    )
    raw = (
        f"{head}Subject: Mole\r\nContent-Type: text/plain\r\n\r\n".encode()
        + "Die Höhe der Mole ist unklar, wir messen sie am Montag.\r\n".encode("cp1252")
    )
    yield Sample(
        "eml/no-charset.eml",
        raw,
        ("Mole", "Die Höhe der Mole ist unklar, wir messen sie am Montag."),
        (),
        "Mole",
    )
    reply = (
        f'{head}Subject: Re: Keys\r\nContent-Type: multipart/mixed; boundary="m"\r\n\r\n--m\r\nContent-Type: multipart/alternative; boundary="a"\r\n\r\n--a\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nThey are in the tin.\r\n\r\nOn Sat, 28 Feb 2026 at 10:00, Nils <nils@yard.example> wrote:\r\n> Where are the keys?\r\n'
        "\r\n--a\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>They are in the tin.</p>\r\n--a--\r\n--m\r\nContent-Type: application/pdf; name*0*=UTF-8''Schl%C3%BCs; name*1=sel.pdf\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename*0*=UTF-8''Schl%C3%BCs; filename*1=sel.pdf\r\n\r\n"
    ).encode()
    paper = Paper("")
    paper.draw(Line(60, 700, "Key 7 opens the boat shed at the north pier.", 11))
    reply += (
        base64.encodebytes(write(paper)).replace(b"\n", b"\r\n")
        + b"--m\r\nContent-Type: application/ms-tnef; name=winmail.dat\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=winmail.dat\r\n\r\neJ8+Ig==\r\n--m--\r\n"
    )
    yield Sample(
        "eml/reply-pdf.eml",
        reply,
        (
            "Re: Keys",
            "They are in the tin.",
            "Where are the keys?",
            "Schlüssel.pdf",
            "Key 7 opens the boat shed at the north pier.",
        ),
        ("eJ8",),
        "Re: Keys",
    )


def _tables() -> Iterator[Sample]:
    yield Sample(
        "csv/ragged.csv",
        b"Name,Tons,Remark\r\nSvala,12\r\nTern,9,old,extra\r\n,,\r\n",
        ("Name", "Tons", "Remark", "Svala", "12", "Tern", "9", "old", "extra"),
    )
    yield Sample(
        "csv/quotes.csv",
        b'"Code","Text"\n"A-1","He said ""never"", twice"\n"A-2","line one\nline two"\n"A-3","a; b | c"\n',
        ("Code Text", "A-1", 'He said "never", twice', "A-2", "line one", "line two", "A-3", "a; b", "c"),
    )
    yield Sample(
        "csv/decimal-comma.csv",
        "Ort;Breite;Länge\r\nKiel;54,32;10,14\r\nMoss;59,43;10,66\r\n".encode("utf-8-sig"),
        ("Ort Breite Länge", "Kiel 54,32 10,14", "Moss 59,43 10,66"),
    )
    yield Sample(
        "csv/no-head.csv",
        b"2026-03-01,06:12,3.42\n2026-03-02,06:58,3.38\n2026-03-03,07:40,3.31\n",
        ("2026-03-01 06:12 3.42", "2026-03-02 06:58 3.38", "2026-03-03 07:40 3.31"),
    )
    yield Sample(
        "tsv/mysql-null.tsv",
        b"id\tname\tnote\n1\tSvala\t\\N\n2\tTern\told\\tboat\n",
        ("id name note", "1 Svala", "2 Tern"),
    )
    openapi = {
        "openapi": "3.1.0",
        "info": {"title": "Tide API", "version": "2"},
        "paths": {
            "/tides/{port}": {
                "get": {
                    "summary": "Tides of a port",
                    "responses": {"200": {"description": "A list\nof heights"}},
                }
            }
        },
    }
    yield Sample(
        "json/openapi.json",
        json.dumps(openapi).encode(),
        ("Tide API", "Tides of a port", "A list", "of heights"),
    )
    yield Sample(
        "json/surrogates.json",
        b'{"note": "\\ud83c\\udf0a high \\u6f6e", "grid": [[1, 2], [3, 4]], "empty": [], "off": false}',
        ("🌊 high 潮", "1, 2", "3, 4", "false"),
    )


def _notebooks() -> Iterator[Sample]:
    html = {
        "text/html": [
            "<table border='1'><thead><tr><th>port</th><th>boats</th></tr></thead><tbody><tr><td>Moss</td><td>31</td></tr></tbody></table>"
        ]
    }
    latex = {"text/latex": ["$\\displaystyle x^{2}$"], "text/plain": ["x**2"]}
    cells = [
        {
            "cell_type": "markdown",
            "metadata": {},
            "source": ["# Ports\n", "\n", "![map](attachment:map.png)\n", "Counted <b>twice</b>.\n"],
            "attachments": {"map.png": {"image/png": "iVBORw0KGgoAAAANS"}},
        },
        {
            "cell_type": "code",
            "metadata": {},
            "source": ["%%sql\n", "SELECT port FROM boat"],
            "outputs": [{"output_type": "display_data", "data": html, "metadata": {}}],
            "execution_count": 1,
        },
        {
            "cell_type": "code",
            "metadata": {},
            "source": "expr",
            "outputs": [
                {"output_type": "execute_result", "data": latex, "metadata": {}, "execution_count": 2}
            ],
            "execution_count": 2,
        },
        {
            "cell_type": "code",
            "metadata": {},
            "source": "warn()",
            "outputs": [{"output_type": "stream", "name": "stderr", "text": ["UserWarning: tide is late\n"]}],
            "execution_count": 3,
        },
        {
            "cell_type": "code",
            "metadata": {},
            "source": "slider",
            "outputs": [
                {
                    "output_type": "display_data",
                    "data": {
                        "application/vnd.jupyter.widget-view+json": {"model_id": "9f"},
                        "text/plain": ["IntSlider(value=0)"],
                    },
                    "metadata": {},
                }
            ],
            "execution_count": 4,
        },
    ]
    book = {
        "cells": cells,
        "metadata": {"kernelspec": {"language": "python", "name": "python3"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    yield Sample(
        "ipynb/jupyter-rich.ipynb",
        json.dumps(book).encode(),
        (
            "Ports",
            "Counted twice.",
            "SELECT port FROM boat",
            "port boats",
            "Moss 31",
            "expr",
            "x**2",
            "UserWarning: tide is late",
        ),
        ("iVBORw0KGgoAAAANS", "<table", "<b>"),
        "Ports",
        ("Ports",),
    )


def _subtitles() -> Iterator[Sample]:
    messy = "\ufeff1\n00:00:01,000-->00:00:03,000\n<b>Captain:</b> Cast off!\n\n00:00:03,500 --> 00:00:05,000 X1:100 X2:200 Y1:1 Y2:2\n♪ (wind) ♪\n\n3\n00:00:06.000 --> 00:00:08.000\nWe are &quot;under way&quot;.\n\n\n4\n00:00:09,000 --> 00:00:11,000\n\n"
    yield Sample(
        "srt/messy.srt",
        messy.encode(),
        ("Captain:", "Cast off!", "We are", "under way"),
        ("X1:100", "<b>", "-->", "&quot;"),
    )
    positioned = "WEBVTT - tour\nX-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:900000\n\nintro\n00:01.000 --> 00:04.000 position:10%,line-left align:left size:35%\n<c.yellow.bg_blue>The lock</c> was <i>opened</i> in <00:02.000>1890.\n\nREGION\nid:fred\n\n00:05.000 --> 00:07.000\n- Who built it?\n- The Bergs.\n"
    yield Sample(
        "vtt/positioned.vtt",
        positioned.encode(),
        ("The lock was opened in 1890.", "Who built it?", "The Bergs."),
        ("TIMESTAMP", "fred", "position", "yellow"),
    )


def _pdf() -> Iterator[Sample]:
    scan = Paper(
        "Scanned letter", "ABBYY FineReader"
    )  # letters of OCR under a picture; here without the picture
    for at, text in enumerate(
        ("Moss, 1 March 1987", "Dear Mr Berg,", "the mole will be lengthened by 40 metres.")
    ):
        scan.draw(Line(70, 760 - 30 * at, text, 12))
    yield Sample(
        "pdf/ocr-letter.pdf",
        write(scan),
        ("Moss, 1 March 1987", "Dear Mr Berg,", "the mole will be lengthened by 40 metres."),
        (),
        "Scanned letter",
    )
    ligatures = Paper("", "pdfTeX")
    ligatures.draw(Line(70, 770, "Eﬃcient oﬃce ﬂow", 20, "subset"))
    lines = (
        "The oﬃce ﬁnds every ﬁle in its ﬁrst ﬂoor and keeps the others at the dif-",
        "ferent places that were named in the first and in the second letter.",
    )
    for at, text in enumerate(lines):
        ligatures.draw(Line(70, 730 - 14 * at, text, 11, "subset"))
    yield Sample(
        "pdf/latex-ligatures.pdf",
        write(ligatures),
        (
            "Efficient office flow",
            "The office finds every file in its first floor",
            "the different places that were named",
        ),
    )
    form = Paper("", "Acrobat PDFMaker")
    for at, (label, value) in enumerate(
        (
            ("Name:", "Ingrid Solbakken"),
            ("Berth:", "B 12"),
            ("Length over all:", "8.5 m"),
            ("Insured until:", "31.12.2026"),
        )
    ):
        form.draw(Line(70, 760 - 24 * at, label, 10, "bold"))
        form.draw(Line(220, 760 - 24 * at, value, 10))
        form.draw(Rule(215, 756 - 24 * at, 500, 756 - 24 * at))
    yield Sample(
        "pdf/word-form.pdf",
        write(form),
        ("Name: Ingrid Solbakken", "Berth: B 12", "Length over all: 8.5 m", "Insured until: 31.12.2026"),
    )
    numbered = Paper("", "Microsoft Word")
    for page in range(3):
        if page:
            numbered.pages.append([])
        numbered.draw(Line(70, 800, "Kiln AS · Safety manual", 8, "subset"))
        numbered.draw(Line(70, 760, f"{page + 1}  {('General', 'Fire', 'Water')[page]}", 16, "subset"))
        for at in range(12):
            numbered.draw(
                Line(
                    70,
                    730 - 14 * at,
                    f"Rule {page + 1}.{at + 1} holds for everybody who works on the pier or on a boat.",
                    11,
                    "subset",
                )
            )
        numbered.draw(Line(290, 30, f"- {page + 1} -", 9, "subset"))
    yield Sample(
        "pdf/word-manual.pdf",
        write(numbered),
        ("1 General", "Rule 1.12 holds", "2 Fire", "Rule 2.1 holds", "3 Water", "Rule 3.12 holds"),
        ("- 2 -",),
        "",
        ("1 General", "2 Fire", "3 Water"),
    )


def _book() -> Sample:
    """EPUB 2 with names in Chinese, entities, a page that is not in the line of reading, and notes at the end."""
    doctype = '<?xml version="1.0" encoding="utf-8"?><!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.1//EN" "http://www.w3.org/TR/xhtml11/DTD/xhtml11.dtd">'
    page = '{}<html xmlns="http://www.w3.org/1999/xhtml"><head><title>{}</title></head><body>{}</body></html>'
    items = (
        (
            "第一章.xhtml",
            "第一章　潮汐",
            "<h2>第一章　潮汐</h2><p>潮水每天涨落两次&mdash;&mdash;这是常识。&nbsp;完</p>",
        ),
        ("第二章.xhtml", "第二章　码头", "<h2>第二章　码头</h2><p>码头建于一八九〇年。</p>"),
    )
    manifest = "".join(
        f'<item id="c{at}" href="%E7%AC%AC{"%E4%B8%80" if at == 0 else "%E4%BA%8C"}%E7%AB%A0.xhtml" media-type="application/xhtml+xml"/>'
        for at in range(2)
    )
    points = "".join(
        f'<navPoint playOrder="{at}"><navLabel><text>{title}</text></navLabel><content src="{name}"/></navPoint>'
        for at, (name, title, _) in enumerate(items)
    )
    opf = f'<?xml version="1.0"?><package version="2.0" xmlns="http://www.idpf.org/2007/opf"><metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>海港志</dc:title></metadata><manifest>{manifest}<item id="ncx" href="toc.ncx" media-type="application/x-dtbncx+xml"/><item id="x" href="gone.xhtml" media-type="application/xhtml+xml"/></manifest><spine toc="ncx"><itemref idref="c0"/><itemref idref="c1"/></spine></package>'
    content = pack(
        {
            "mimetype": "application/epub+zip",
            "META-INF/container.xml": '<?xml version="1.0"?><container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles><rootfile full-path="OPS/book.opf" media-type="application/oebps-package+xml"/></rootfiles></container>',
            "OPS/book.opf": opf,
            "OPS/toc.ncx": f'<?xml version="1.0"?><ncx xmlns="http://www.daisy.org/z3986/2005/ncx/"><navMap>{points}</navMap></ncx>',
            **{f"OPS/{name}": page.format(doctype, title, body) for name, title, body in items},
        },
        stored=("mimetype",),
    )
    return Sample(
        "epub/zh-harbour.epub",
        content,
        ("第一章 潮汐", "潮水每天涨落两次——这是常识。", "第二章 码头", "码头建于一八九〇年。"),
        ("&mdash;",),
        "海港志",
        ("第一章 潮汐", "第二章 码头"),
    )
