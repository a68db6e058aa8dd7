# ruff: noqa: E501 (lines of markup)
"""Packages of Office and EPUB files: a zip archive with its list of types and relationships. The same bytes each time."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MOMENT = (2026, 3, 1, 9, 0, 0)


def pack(members: Mapping[str, str | bytes], *, stored: tuple[str, ...] = ()) -> bytes:
    """Return a zip archive of these members in order; `stored` are not compressed."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in members.items():
            item = zipfile.ZipInfo(name, _MOMENT)
            item.compress_type = zipfile.ZIP_STORED if name in stored else zipfile.ZIP_DEFLATED
            archive.writestr(item, content)
    return stream.getvalue()


def xml(inside: str) -> str:
    """A part with its declaration, as Office writes it: on two lines."""
    return _XML + inside


def relations(targets: Mapping[str, tuple[str, str]]) -> str:
    """A part of relationships: id → (kind, target); a kind with a colon is written as it is."""
    links = ""
    for key, (kind, target) in targets.items():
        outside = ' TargetMode="External"' if target.startswith(("http", "mailto")) else ""
        type_ = kind if ":" in kind else f"{OFFICE}/{kind}"
        links += f'<Relationship Id="{key}" Type="{type_}" Target="{target}"{outside}/>'
    return xml(f'<Relationships xmlns="{_PACKAGE}/relationships">{links}</Relationships>')


def types(parts: Mapping[str, str]) -> str:
    """[Content_Types].xml: part → type, after "application/vnd.openxmlformats-officedocument."."""
    kinds = "".join(
        f'<Override PartName="/{part}" ContentType="application/vnd.openxmlformats-officedocument.{kind}+xml"/>'
        for part, kind in parts.items()
    )
    return xml(
        f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-'
        f'package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>{kinds}</Types>'
    )


def core(title: str = "", *, creator: str = "Ada Holm") -> str:
    """docProps/core.xml."""
    told = f"<dc:title>{title}</dc:title>" if title else "<dc:title></dc:title>"
    return xml(
        f'<cp:coreProperties xmlns:cp="{_PACKAGE}/metadata/core-properties" xmlns:dc="http://purl.org/dc/elements/1.1/" '
        'xmlns:dcterms="http://purl.org/dc/terms/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        f"{told}<dc:creator>{creator}</dc:creator><cp:lastModifiedBy>{creator}</cp:lastModifiedBy><cp:revision>4</cp:revision>"
        '<dcterms:created xsi:type="dcterms:W3CDTF">2026-03-01T09:00:00Z</dcterms:created></cp:coreProperties>'
    )


def app(program: str) -> str:
    """docProps/app.xml."""
    return xml(
        f'<Properties xmlns="http://schemas.openxmlformats.org/officeDocument/2006/extended-properties"><Application>{program}'
        "</Application><DocSecurity>0</DocSecurity><AppVersion>16.0000</AppVersion></Properties>"
    )
