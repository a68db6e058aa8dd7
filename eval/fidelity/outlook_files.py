"""Messages as Outlook saves them: compound files with properties as streams."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from eval.fidelity.sample import Sample
from eval.fidelity.stories import BAKERY, GUIDE, POLICY, Story, words_of
from eval.fidelity.word_files import make_word

_FREE, _END, _FAT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
_SECTOR, _MINI, _CUTOFF = 512, 64, 4096
_WIDE, _NARROW, _BINARY, _LONG, _TIME = 0x1F, 0x1E, 0x102, 3, 0x40
_SENT: Final = datetime(2026, 3, 1, 8, tzinfo=UTC)

Value = str | bytes | int | datetime
Tree = Mapping[str, "bytes | Tree"]


@dataclass(frozen=True, slots=True)
class Message:
    """Properties by number, and what is attached: messages, or (name, content)."""

    properties: Mapping[int, Value]
    attached: tuple[Message | tuple[str, bytes], ...] = ()
    charset: str = ""  # text in a code page where one is named, as old versions write it


def make_outlook() -> Iterator[Sample]:
    """Yield MSG."""
    yield _sample("plain", BAKERY, {0x1000: _body(BAKERY)})
    yield _sample("html", POLICY, {0x1013: _html(POLICY).encode("gb18030"), 0x3FDE: 936})
    yield _sample("rtf", GUIDE, {0x1009: pack_rtf(_rtf(GUIDE))})
    yield _sample("old", POLICY, {0x1000: _body(POLICY), 0x3FFD: 936}, charset="gb18030")
    inner = Message({0x0037: GUIDE.title, 0x1000: _body(GUIDE)})
    letter = next(sample for sample in make_word() if sample.name.endswith("pandoc-product.docx"))
    report = ("report.docx", letter.content)
    outer = Message(
        {**_head(POLICY), 0x1000: _body(POLICY)}, (report, inner, ("logo.png", b"\x89PNG" + bytes(6_000)))
    )
    yield Sample(
        "msg/attached.msg",
        message_file(outer),
        (*words_of(POLICY), *letter.must[:3], GUIDE.title, *words_of(GUIDE)),
        ("PNG", "IPM"),
        POLICY.title,
    )


def _sample(name: str, story: Story, body: Mapping[int, Value], charset: str = "") -> Sample:
    message = Message({**_head(story), **body}, charset=charset)
    must = (story.title, "Ada Holm", "nils@yard.example", "01 Mar 2026", *words_of(story))
    return Sample(f"msg/{name}-{story.name}.msg", message_file(message), must, ("IPM", "SMTP"), story.title)


def _head(story: Story) -> dict[int, Value]:
    return {
        0x001A: "IPM.Note",
        0x0037: story.title,
        0x0C1A: "Ada Holm",
        0x0C1E: "SMTP",
        0x0C1F: "ada@kiln.example",
        0x0E04: "nils@yard.example",
        0x0039: _SENT,
    }


def _body(story: Story) -> str:
    return "\r\n\r\n".join(words_of(story)) + "\r\n"


def _html(story: Story) -> str:
    return f"<html><body>{''.join(f'<p>{text}</p>' for text in words_of(story))}</body></html>"


def _rtf(story: Story) -> bytes:
    texts = (
        "".join(char if char.isascii() else f"\\u{ord(char)}?" for char in text) for text in words_of(story)
    )
    return (
        "{\\rtf1\\ansi\\deff0{\\fonttbl{\\f0 Arial;}}" + "".join(f"{t}\\par\n" for t in texts) + "}"
    ).encode()


def pack_rtf(text: bytes) -> bytes:
    """Rich Text packed as [MS-OXRTFCP] says: literals, and references to the same 16 bytes before."""
    write, out, at = 207, bytearray(), 0
    items: list[bytes] = []
    flags: list[int] = []
    while at < len(text):
        length = 0
        while (
            at >= 16
            and length < 16
            and at + length < len(text)
            and text[at + length] == text[at + length - 16]
        ):
            length += 1
        if length >= 2:
            flags.append(1)
            items.append((((write - 16) % 4096) << 4 | (length - 2)).to_bytes(2, "big"))
        else:
            length = 1
            flags.append(0)
            items.append(text[at : at + 1])
        write, at = (write + length) % 4096, at + length
    flags.append(1)
    items.append((write << 4).to_bytes(2, "big"))
    for start in range(0, len(items), 8):
        out.append(sum(flag << bit for bit, flag in enumerate(flags[start : start + 8])))
        out += b"".join(items[start : start + 8])
    return struct.pack("<IIII", len(out) + 12, len(text), 0x75465A4C, 0) + bytes(out)


def message_file(message: Message) -> bytes:
    """A message as a file."""
    return compound(_tree(message, 32))


def _tree(message: Message, header_bytes: int) -> Tree:
    """The streams and storages of a message."""
    tree: dict[str, bytes | Tree] = {}
    fixed = bytearray(header_bytes)
    for number, value in message.properties.items():
        if isinstance(value, datetime):
            ticks = int((value - datetime(1601, 1, 1, tzinfo=UTC)).total_seconds()) * 10_000_000
            fixed += struct.pack("<IIQ", number << 16 | _TIME, 6, ticks)
        elif isinstance(value, int):
            fixed += struct.pack("<IIQ", number << 16 | _LONG, 6, value)
        elif isinstance(value, bytes):
            tree[f"__substg1.0_{number:04X}{_BINARY:04X}"] = value
        elif message.charset:
            tree[f"__substg1.0_{number:04X}{_NARROW:04X}"] = value.encode(message.charset)
        else:
            tree[f"__substg1.0_{number:04X}{_WIDE:04X}"] = value.encode("utf-16-le")
    tree["__properties_version1.0"] = bytes(fixed)
    for index, attached in enumerate(message.attached):
        name = f"__attach_version1.0_#{index:08X}"
        if isinstance(attached, Message):
            tree[name] = {
                "__properties_version1.0": bytes(8),
                "__substg1.0_3701000D": _tree(attached, 24),
            }
        else:
            tree[name] = {
                "__properties_version1.0": bytes(8),
                "__substg1.0_3707001F": attached[0].encode("utf-16-le"),
                "__substg1.0_37010102": attached[1],
            }
    return tree


def compound(tree: Tree) -> bytes:
    """A compound file ([MS-CFB], version 3) with these streams and storages."""
    return _Compound(tree).content()


class _Compound:
    """Directory entries, sectors and their chains. Streams below 4,096 bytes stand in small sectors, as they must."""

    def __init__(self, tree: Tree) -> None:
        self._entries = [_entry("Root Entry", 5)]
        self._fat: list[int] = []
        self._sectors = bytearray()
        self._mini_fat: list[int] = []
        self._mini = bytearray()
        self._fill(0, tree)

    def content(self) -> bytes:
        struct.pack_into("<IQ", self._entries[0], 116, self._write(bytes(self._mini)), len(self._mini))
        mini_fat = struct.pack(f"<{len(self._mini_fat)}I", *self._mini_fat)
        mini_at, mini_sectors = self._write(mini_fat), -(-len(mini_fat) // _SECTOR)
        self._entries += [_entry("", 0) for _ in range(-len(self._entries) % 4)]
        directory_at = self._write(b"".join(self._entries))
        fat_at, fat_sectors = len(self._fat), 1
        while (fat_at + fat_sectors) * 4 > fat_sectors * _SECTOR:
            fat_sectors += 1
        fat = [*self._fat, *[_FAT] * fat_sectors]
        table = struct.pack(f"<{len(fat)}I", *fat).ljust(fat_sectors * _SECTOR, b"\xff")
        header = struct.pack(
            "<8s16sHHHHH6sIIIIIIIII",
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", bytes(16), 0x3E, 3, 0xFFFE, 9, 6, bytes(6),
            0, fat_sectors, directory_at, 0, _CUTOFF, mini_at, mini_sectors, _END, 0,
        )  # fmt: skip
        places = [*range(fat_at, fat_at + fat_sectors), *[_FREE] * (109 - fat_sectors)]
        return header + struct.pack("<109I", *places) + bytes(self._sectors) + table

    def _fill(self, parent: int, children: Tree) -> None:
        """Write the entries of a storage and what they hold."""
        indexes = []
        for name, value in sorted(children.items(), key=lambda one: (len(one[0]), one[0].upper())):
            is_stream = isinstance(value, bytes)
            self._entries.append(_entry(name, 2 if is_stream else 1))
            indexes.append(index := len(self._entries) - 1)
            if isinstance(value, bytes):
                first = self._write(value) if len(value) >= _CUTOFF else self._write_small(value)
                struct.pack_into("<IQ", self._entries[index], 116, first, len(value))
            else:
                self._fill(index, value)
        struct.pack_into("<I", self._entries[parent], 76, self._balance(indexes))

    def _balance(self, indexes: list[int]) -> int:
        """Hang entries below each other as a tree; its root."""
        if not indexes:
            return _FREE
        middle = len(indexes) // 2
        left, right = self._balance(indexes[:middle]), self._balance(indexes[middle + 1 :])
        struct.pack_into("<II", self._entries[indexes[middle]], 68, left, right)
        return indexes[middle]

    def _write(self, content: bytes) -> int:
        """The first sector of a content."""
        first, count = len(self._fat), -(-len(content) // _SECTOR)
        self._sectors += content.ljust(count * _SECTOR, b"\0")
        self._fat += _chain(first, count)
        return first if count else _END

    def _write_small(self, content: bytes) -> int:
        first, count = len(self._mini_fat), -(-len(content) // _MINI)
        self._mini += content.ljust(count * _MINI, b"\0")
        self._mini_fat += _chain(first, count)
        return first if count else _END


def _chain(first: int, count: int) -> list[int]:
    return [*range(first + 1, first + count), _END] if count else []


def _entry(name: str, kind: int) -> bytearray:
    entry = bytearray(128)
    wide = name.encode("utf-16-le")
    entry[: len(wide)] = wide
    struct.pack_into("<HBBIII", entry, 64, len(wide) + 2 if name else 0, kind, 1, _FREE, _FREE, _FREE)
    return entry
