"""Names and texts that break programs, made from a seed (R24, R39). English and Chinese alike."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from typing import Final

# Each is tried by itself, as a stem before a suffix, and joined with others.
NASTY: Final = (
    *(
        "..",
        ".",
        "...",
        "../../etc/passwd",
        "..\\..\\boot.ini",
        "/etc/passwd",
        "//server/share/x",
        "\\\\server\\share",
    ),
    *(
        "C:\\windows\\system32\\x",
        "C:x",
        "file:///etc/passwd",
        "~",
        "~root",
        "$HOME",
        "${HOME}",
        "%2e%2e%2f",
        "%00",
    ),
    *(
        "．．／etc／passwd",
        "﹒﹒",
        "‥",
        "a／b",
        "a＼b",
        "：",
        "CON",
        "nul.txt",
        "COM1",
        "aux.md",
        "lpt1.",
        "PRN",
    ),
    *(
        "\u202egnp.exe",
        "\u2066x\u2069",
        "\u200b",
        "\u200d\u200d",
        "\ufeffx",
        "\u00ad",
        "x\u034f",
        "\U000e0041\U000e0042",
    ),
    *(
        "a\nb",
        "a\rb",
        "a\tb",
        "\x1b[2J",
        "\x1b]0;title\x07",
        "\x9b31m",
        "\x07",
        "\x7f",
        "\x08\x08\x08",
        "\x00",
        "a\x00b",
    ),
    *(
        "-rf",
        "--help",
        "-",
        "--",
        "--collection=x",
        "@file",
        "#",
        ";rm -rf x",
        "$(reboot)",
        "`id`",
        "| cat",
        "& x",
        "'",
        '"',
    ),
    *(
        "x ",
        " x",
        "x.",
        "x. .",
        "\u00a0",
        "\u3000",
        "é",
        "e\u0301",
        "K",
        "k",
        "K",
        "İ",
        "ı",
        "ß",
        "ẞ",
        "ﬁ",
        "Å",
        "Å",
    ),
    *(
        "👩\u200d🔬",
        "👁\ufe0f\u200d🗨",
        "🇨🇳",
        "𠀀",
        "𝕏",
        "中文 文件",
        "《年报》",
        "字" * 84,
        "x" * 250,
        "\u0301" * 80,
        "가",
        "\u1100\u1161",
    ),
    *(
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "javascript:alert(1)",
        "[x](javascript:alert(1))",
    ),
    *(
        "'; DROP TABLE documents; --",
        "%s%n",
        "{0}",
        "{{7*7}}",
        "\\x00",
        "\\u0000",
        "nan",
        "null",
        "undefined",
        "0",
        "-1",
    ),
    *(
        "[red]x[/red]",
        "[/]",
        "[link=file:///etc]x[/link]",
        "*",
        "?",
        "a*b?.md",
        "[a-z].md",
        "a:b",
        "a|b",
        "a<b>c",
    ),
)
_UNREADABLE: Final = (b"\xff\xfe", b"caf\xe9", b"\xed\xa0\x80", b"\xc0\xaf", b"\xf8\x88\x80\x80\x80", b"\x80")


def hostile_names(seed: int, count: int) -> list[bytes]:
    """Different names that a Linux folder can hold, as bytes, no two of them equal; some are not UTF-8."""
    rng = random.Random(f"names/{seed}")
    made = dict.fromkeys(_name(part.encode()) for part in NASTY)
    made |= dict.fromkeys(_name(part) for part in _UNREADABLE)
    while len(made) < count:
        parts = [rng.choice(NASTY).encode() for _ in range(rng.randint(1, 3))]
        if rng.random() < 0.1:
            parts.append(rng.choice(_UNREADABLE))
        made[_name(b"".join(parts))] = None
    return list(made)[: max(count, len(NASTY))]


def hostile_paths(seed: int, count: int) -> list[str]:
    """Names that only an archive or an argument can hold: with NUL, slashes, 4 KB and more."""
    rng = random.Random(f"paths/{seed}")
    made = dict.fromkeys(
        (*NASTY, "../" * 1_300 + "x", "x" * 4_096, "d/" * 2_048, "\\" * 300, "a/../../b", "./././x")
    )
    while len(made) < count:
        made["/".join(rng.choice(NASTY) for _ in range(rng.randint(1, 4)))] = None
    return list(made)[: max(count, len(NASTY))]


def hostile_texts(seed: int, count: int) -> Iterator[bytes]:
    """Files that claim to be text: what breaks decoders, normalisers, tokenizers and offsets. Every one holds a
    sentence in English or Chinese (see `fact`), before, within or after the rest."""
    for number in range(count):
        rng = random.Random(f"texts/{seed}/{number}")
        made = _text(rng, number)
        at = rng.choice((0, len(made) // 2, len(made)))
        yield _encoded(rng, made[:at] + "\n\n" + fact(number) + "\n\n" + made[at:])


def fact(number: int) -> str:
    """The sentence of a text; no two are the same."""
    if number % 2:
        return f"编号{number}的港口有{number * 7 % 1000}台起重机和一座灯塔。"
    return f"Harbour number {number} has {number * 7 % 1000} cranes and one lighthouse."


def question(number: int) -> str:
    """What the sentence answers."""
    return (
        f"编号{number}的港口有多少台起重机？"
        if number % 2
        else f"How many cranes has harbour number {number}?"
    )


def _name(wanted: bytes) -> bytes:
    """The nearest name that a folder can hold, with a suffix that is read."""
    held = wanted.replace(b"/", "∕".encode()).replace(b"\0", b"\x01")[:240]
    return held + b".md"


def _text(rng: random.Random, number: int) -> str:
    if number % 1_000 == 7:
        return "e" + "\u0301\u0315" * 500_000  # 1 MB and more of marks on one letter
    if number % 1_000 == 507:
        return "👩\u200d" * 250_000 + "字\u200b" * 100_000
    pieces = [_piece(rng) for _ in range(rng.randint(1, 12))]
    return rng.choice(("", " ", "\n", "。", ". ")).join(pieces)


def _piece(rng: random.Random) -> str:
    length = rng.choice((1, 2, 5, 40, 300))
    draw = rng.choice(_DRAWS)
    return "".join(draw(rng) for _ in range(length))


def _block(rng: random.Random) -> str:
    return chr(rng.choice((0x4E00, 0x20000, 0xAC00, 0x1100, 0xFF21, 0xFDFA)) + rng.randrange(20))


_BIDI: Final = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f"
_PLAIN: Final = ("A plain sentence. ", "一句普通的话。", "```\ncode\n```\n", "| a | b |\n|---|---|\n", "# ")
_DRAWS: Final[Sequence[Callable[[random.Random], str]]] = (
    lambda rng: rng.choice(NASTY),
    lambda rng: chr(rng.randrange(0x110000)),  # anything that Unicode has a number for, surrogates too
    lambda rng: rng.choice("\0\x01\x1b\x7f\x85\u2028\u2029\x0b\x0c\r\n"),
    lambda rng: rng.choice(_BIDI) + "字a",
    lambda rng: chr(rng.randrange(0xD800, 0xE000)),
    lambda rng: chr(rng.randrange(0x300, 0x370)),  # combining marks
    lambda rng: rng.choice("👩👨🏽🔬❤️🇨🇳️⃣1\u200d\ufe0f"),
    lambda rng: chr(0xE0000 + rng.randrange(32, 127)),  # tags: text that nobody sees
    lambda rng: rng.choice(_PLAIN),
    _block,
)


def _encoded(rng: random.Random, text: str) -> bytes:
    """In UTF-8 mostly, as a program that checks nothing writes it; else in an older or wider encoding."""
    kind = rng.random()
    if kind < 0.7:
        return text.encode("utf-8", "surrogatepass")
    if kind < 0.8:
        return text.encode("gb18030", "ignore")
    if kind < 0.9:
        return text.encode("utf-16", "surrogatepass")
    return text.encode("utf-8", "ignore") + rng.randbytes(rng.randint(0, 3))
