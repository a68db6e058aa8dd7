# ruff: noqa: E501 (lines of markup)
"""Messages as Outlook, Gmail, Thunderbird, Apple Mail and QQ Mail write them, and web pages saved whole."""

from __future__ import annotations

import base64
import quopri
from collections.abc import Iterator, Sequence
from html import escape

from eval.fidelity.pages import TEMPLATES, body_of
from eval.fidelity.sample import Sample
from eval.fidelity.stories import ARCHIVE, BAKERY, FREEZER, GUIDE, LIBRARY, POLICY, PRODUCT, Story, words_of
from eval.fidelity.word_files import make_word


def make_mail() -> Iterator[Sample]:
    """Yield EML."""
    yield _plain("thunderbird", BAKERY, charset="utf-8", flowed=True)
    yield _plain("qq", POLICY, charset="gb18030")
    yield _plain("yahoo-tw", LIBRARY, charset="big5")
    yield _plain("becky", FREEZER, charset="iso-2022-jp")
    yield _plain("pegasus", ARCHIVE, charset="koi8-r")
    yield _alternative("gmail", GUIDE)
    yield _alternative("outlook", PRODUCT)
    yield _alternative("apple", POLICY)
    yield from _attached()
    yield from _hard()


def make_saved_pages() -> Iterator[Sample]:
    """Yield MHTML: whole pages by a browser (quoted-printable, pictures by Content-Location) and by Word (a code page)."""
    for template in TEMPLATES[:6]:
        for story in (GUIDE, POLICY) if template.name != "hexo-next" else (POLICY,):
            page = template.frame(escape(story.title), body_of(template, story))
            content = _saved(page, story, charset="utf-8")
            yield Sample(
                f"mhtml/chrome-{template.name}-{story.name}.mhtml",
                content,
                words_of(story),
                ("snapshot", "Skip to content"),
                "",
            )
    for story, charset in ((POLICY, "gb2312"), (LIBRARY, "big5"), (BAKERY, "windows-1252")):
        paragraphs = "".join(f"<p class=MsoNormal>{escape(text)}<o:p></o:p></p>" for text in words_of(story))
        page = f'<html xmlns:o="urn:schemas-microsoft-com:office:office"><head><meta http-equiv=Content-Type content="text/html; charset={charset}"><title>{story.title}</title></head><body lang=ZH-CN><div class=WordSection1>{paragraphs}</div></body></html>'
        yield Sample(
            f"mhtml/word-{story.name}.mht",
            _saved(page, story, charset=charset),
            words_of(story),
            ("MsoNormal",),
            story.title,
        )


def _word(text: str, charset: str) -> str:
    """An encoded word of RFC 2047."""
    return f"=?{charset}?B?{base64.b64encode(text.encode(charset)).decode()}?="


def _head(subject: str, charset: str, more: str) -> str:
    return (
        f"Return-Path: <ada@kiln.example>\r\nReceived: from mx.kiln.example (mx [192.0.2.7]) by in.example with ESMTPS id 4F2\r\n\tfor <nils@yard.example>; Sun, 1 Mar 2026 09:00:03 +0100\r\n"
        f"DKIM-Signature: v=1; a=rsa-sha256; d=kiln.example; bh=abc=; b=Zm9v\r\nMessage-ID: <42@kiln.example>\r\nFrom: {_word('Ada Hölm' if charset == 'utf-8' else 'Ada Holm', charset)} <ada@kiln.example>\r\n"
        f"To: nils@yard.example\r\nSubject: {subject}\r\nDate: Sun, 1 Mar 2026 09:00:00 +0100\r\nMIME-Version: 1.0\r\n{more}\r\n\r\n"
    )


def _lines64(content: bytes) -> str:
    return base64.encodebytes(content).decode().replace("\n", "\r\n")


def _part(kind: str, content: bytes, *, more: str = "", quoted: bool = False) -> str:
    if quoted:
        written = quopri.encodestring(content).decode().replace("\r\n", "\n").replace("\n", "\r\n")
        return (
            f"Content-Type: {kind}\r\nContent-Transfer-Encoding: quoted-printable\r\n{more}\r\n{written}\r\n"
        )
    return f"Content-Type: {kind}\r\nContent-Transfer-Encoding: base64\r\n{more}\r\n{_lines64(content)}"


def _many(kind: str, boundary: str, parts: Sequence[str]) -> str:
    return (
        f"--{boundary}\r\n" + f"\r\n--{boundary}\r\n".join(parts) + f"\r\n--{boundary}--\r\n" if kind else ""
    )


_NEVER = ("DKIM-Signature", "MIME-Version", "quoted-printable", "Received")


def _plain(tool: str, story: Story, *, charset: str, flowed: bool = False) -> Sample:
    lines = list(words_of(story, without=("code",)))
    subject = f"Subject: {_word(story.title, charset)}"
    if flowed:
        lines = [line.replace(" ", " \r\n", 1) if len(line) > 60 else line for line in lines]
    body = "\r\n\r\n".join(lines) + "\r\n\r\n-- \r\nAda\r\n"
    flow = "; format=flowed; delsp=no" if flowed else ""
    head = _head(
        subject.removeprefix("Subject: "),
        charset,
        f"Content-Type: text/plain; charset={charset}{flow}\r\nContent-Transfer-Encoding: base64",
    )
    content = (head + _lines64(body.encode(charset))).encode()
    must = (story.title, "ada@kiln.example", "nils@yard.example", *words_of(story, without=("code",)))
    return Sample(f"eml/{tool}-{story.name}.eml", content, must, _NEVER, story.title)


def _alternative(tool: str, story: Story) -> Sample:
    texts = words_of(story, without=("code", "tabs"))
    html = '<div dir=3D"ltr">' if tool == "gmail" else "<div class=WordSection1>"
    html += "".join(f"<p>{escape(text)}</p>" for text in texts) + "</div>"
    parts = [
        _part('text/plain; charset="UTF-8"', "\r\n\r\n".join(texts).encode(), quoted=tool != "apple"),
        _part('text/html; charset="UTF-8"', f"<html><body>{html}</body></html>".encode(), quoted=True),
    ]
    head = _head(
        _word(story.title, "utf-8"), "utf-8", 'Content-Type: multipart/alternative; boundary="000_b1"'
    )
    content = (
        head + "This is a multi-part message in MIME format.\r\n\r\n" + _many("alternative", "000_b1", parts)
    ).encode()
    return Sample(
        f"eml/{tool}-{story.name}.eml",
        content,
        (story.title, *texts),
        (*_NEVER, "multi-part message"),
        story.title,
    )


def _attached() -> Iterator[Sample]:
    """Attachments as servers type them: rightly, as octet-stream, with names in RFC 2231 or RFC 2047."""
    table = "ort;höhe\r\nKai;3,20 m\r\nMole;4,80 m\r\n".encode("cp1252")
    letter = next(sample for sample in make_word() if sample.name.endswith("pandoc-product.docx"))
    octet = "application/octet-stream"
    note = b"Notizen zum Kai\r\n\r\nDer Poller 7 ist lose.\r\n"
    cases = (
        (
            "typed",
            "text/csv; charset=windows-1252",
            "text/plain; charset=utf-8",
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        ),
        ("octets", octet, octet, octet),
        ("misnamed", "application/vnd.ms-excel", "application/x-unknown", "application/msword"),
    )
    for name, csv_type, text_type, word_type in cases:
        parts = [
            _part("text/plain; charset=us-ascii", b"Please see the three files.", quoted=True),
            _part(
                csv_type, table, more="Content-Disposition: attachment; filename*=UTF-8''H%C3%B6hen.csv\r\n"
            ),
            _part(
                f'{text_type}; name="{_word("Notizen.txt", "utf-8")}"',
                note,
                more="Content-Disposition: attachment\r\n",
            ),
            _part(
                word_type, letter.content, more='Content-Disposition: attachment; filename="kettle.docx"\r\n'
            ),
            _part(
                "image/png",
                b"\x89PNG\r\n\x1a\n",
                more='Content-Disposition: attachment; filename="pier.png"\r\n',
            ),
        ]
        head = _head("Three files", "utf-8", 'Content-Type: multipart/mixed; boundary="=_m"')
        content = (head + _many("mixed", "=_m", parts)).encode()
        must = (
            "Three files",
            "Please see the three files.",
            "Höhen.csv",
            "Kai 3,20 m",
            "Mole 4,80 m",
            "Notizen.txt",
            "Der Poller 7 ist lose.",
            "kettle.docx",
            *letter.must[1:4],
        )
        yield Sample(f"eml/attached-{name}.eml", content, must, (*_NEVER, "PNG"), "Three files")


def _hard() -> Iterator[Sample]:
    inner = (
        _head("Old offer", "utf-8", "Content-Type: text/plain; charset=utf-8")
        + "The old price was 40 euros.\r\n"
    )
    parts = [
        _part("text/plain; charset=utf-8", b"See below.", quoted=True),
        f"Content-Type: message/rfc822\r\nContent-Disposition: attachment\r\n\r\n{inner}",
    ]
    yield Sample(
        "eml/outlook-forward.eml",
        (
            _head("FW: Old offer", "utf-8", 'Content-Type: multipart/mixed; boundary="f1"')
            + _many("mixed", "f1", parts)
        ).encode(),
        ("FW: Old offer", "See below.", "Old offer", "The old price was 40 euros."),
        _NEVER,
        "FW: Old offer",
    )
    html = (
        '<html><head><style>.x{color:red}</style></head><body><div style="display:none;max-height:0;overflow:hidden">Peek text of the list</div><table role=presentation><tr><td><h1>News of the yard</h1>'
        '<p>The slip is closed in April.</p></td></tr><tr><td><a href="https://x.example/track?u=1">Read on</a></td></tr></table><img src="https://x.example/p.gif" width=1 height=1></body></html>'
    )
    yield Sample(
        "eml/newsletter.eml",
        (
            _head(
                "News in March",
                "utf-8",
                "Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: base64",
            )
            + _lines64(html.encode())
        ).encode(),
        ("News in March", "News of the yard", "The slip is closed in April."),
        (*_NEVER, "track", "color:red"),
        "News in March",
    )
    related = _many(
        "related",
        "r1",
        [
            _part(
                "text/html; charset=iso-8859-1",
                "<p>Die H\xf6he ist 3 m.</p><img src=cid:a>".encode("latin-1"),
                quoted=True,
            ),
            _part("image/png", b"\x89PNG", more="Content-ID: <a>\r\n"),
        ],
    )
    signed = [
        f'Content-Type: multipart/related; boundary="r1"\r\n\r\n{related}',
        _part(
            "application/pkcs7-signature; name=smime.p7s",
            b"0\x80\x06",
            more="Content-Disposition: attachment; filename=smime.p7s\r\n",
        ),
    ]
    yield Sample(
        "eml/outlook-signed.eml",
        (
            _head(
                "=?iso-8859-1?Q?H=F6he_des_Kais?=",
                "utf-8",
                'Content-Type: multipart/signed; protocol="application/pkcs7-signature"; boundary="s1"',
            )
            + _many("signed", "s1", signed)
        ).encode(),
        ("Höhe des Kais", "Die Höhe ist 3 m."),
        (*_NEVER, "cid:a"),
        "Höhe des Kais",
    )
    calendar = b"BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nSUMMARY:Launch of the Svala\r\nLOCATION:Slip 2\r\nDTSTART:20260402T100000Z\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    invite = [
        _part("text/plain; charset=utf-8", b"You are invited to the launch.", quoted=True),
        _part("text/calendar; charset=utf-8; method=REQUEST", calendar),
    ]
    yield Sample(
        "eml/google-invite.eml",
        (
            _head("Invitation: Launch", "utf-8", 'Content-Type: multipart/alternative; boundary="c1"')
            + _many("alternative", "c1", invite)
        ).encode(),
        ("Invitation: Launch", "You are invited to the launch."),
        _NEVER,
        "Invitation: Launch",
    )


def _saved(page: str, story: Story, *, charset: str) -> bytes:
    subject = _word(story.title, "utf-8")
    head = (
        f"From: <Saved by Blink>\r\nSnapshot-Content-Location: https://x.example/\r\nSubject: {subject}\r\nDate: Sun, 1 Mar 2026 09:00:00 -0000\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/related;\r\n\ttype="text/html";\r\n\tboundary="----MultipartBoundary--x----"\r\n\r\n'
    )
    parts = [
        _part(
            f'text/html; charset="{charset}"',
            page.encode(charset, "xmlcharrefreplace"),
            more="Content-ID: <f@mhtml.blink>\r\nContent-Location: https://x.example/\r\n",
            quoted=True,
        ),
        _part(
            "text/css",
            b'@charset "utf-8"; body { color: snapshot }',
            more="Content-Location: cid:css@mhtml.blink\r\n",
            quoted=True,
        ),
        _part("image/png", b"\x89PNG\r\n", more="Content-Location: https://x.example/logo.png\r\n"),
    ]
    return (head + _many("related", "----MultipartBoundary--x----", parts)).encode()
