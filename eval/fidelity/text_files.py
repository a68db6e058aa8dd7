# ruff: noqa: E501 (lines of text)
"""Plain text in the encodings of the world, subtitles, and source code with its comments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from eval.fidelity.sample import Sample
from eval.fidelity.stories import (
    ARCHIVE,
    BAKERY,
    FERRY,
    FREEZER,
    LIBRARY,
    MARKET,
    MUSEUM,
    POLICY,
    Story,
    words_of,
)

_ENCODINGS: Final[tuple[tuple[Story, tuple[str, ...]], ...]] = (
    (POLICY, ("utf-8", "gb18030", "utf-16-le", "utf-8-sig")),
    (LIBRARY, ("big5", "cp950", "utf-16")),
    (FREEZER, ("cp932", "euc_jp", "iso2022_jp", "utf-8")),
    (MUSEUM, ("cp949", "utf-16-be")),
    (ARCHIVE, ("cp1251", "koi8_r", "utf-8")),
    (BAKERY, ("cp1252", "utf-8", "utf-32")),
    (FERRY, ("cp1252", "utf-8")),
    (MARKET, ("cp1256", "utf-8")),
)
_OTHERS: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "greek": (
        "Το λιμάνι ανοίγει στις έξι.\nΗ είσοδος κοστίζει τρία ευρώ και ισχύει όλη την ημέρα.",
        ("utf-8", "cp1253"),
    ),
    "czech": (
        "Plavebna je otevřena od pondělí do pátku.\nVstupné činí čtyřicet korun, děti platí polovinu.",
        ("utf-8", "cp1250", "iso8859_2"),
    ),
    "polish": (
        "Przystań jest czynna codziennie oprócz świąt.\nŻeglarze płacą za postój pięćdziesiąt złotych.",
        ("utf-8", "cp1250"),
    ),
    "thai": ("ท่าเรือเปิดทุกวันตั้งแต่หกโมงเช้า\nค่าผ่านประตูยี่สิบบาทต่อคน", ("utf-8",)),
    "hindi": ("बंदरगाह सुबह छह बजे खुलता है।\nप्रवेश शुल्क बीस रुपये है।", ("utf-8", "utf-16")),
    "hebrew": ("הנמל נפתח בשש בבוקר.\nדמי הכניסה הם עשרים שקלים לאדם.", ("utf-8", "cp1255")),
    "turkish": (
        "İskele her gün sabah altıda açılır.\nGiriş ücreti kişi başına yirmi liradır; çocuklar ücretsizdir.",
        ("utf-8", "cp1254"),
    ),
    "vietnamese": ("Bến cảng mở cửa từ sáu giờ sáng.\nVé vào cửa hai mươi nghìn đồng một người.", ("utf-8",)),
    "ukrainian": (
        "Гавань відчинена щодня, крім п'ятниці.\nЇжа на її причалі коштує п'ять гривень.",
        ("utf-8", "cp1251"),
    ),
}

_REFUSED: Final = frozenset({"cp1254"})  # never guessed: Western letters, words that nobody here knows


def make_text() -> Iterator[Sample]:
    """Yield plain text."""
    for story, codecs in _ENCODINGS:
        lines = words_of(story, without=("code",), title=True)
        for codec in codecs:
            text = "\n".join(lines) + "\n"
            if codec in {"utf-16-le", "utf-16-be"}:
                text = f"\ufeff{text}"
            yield Sample(
                f"txt/{story.name}-{codec}.txt",
                text.encode(codec),
                lines,
                ("\ufffd",),
                story.title,
            )
    for name, (text, codecs) in _OTHERS.items():
        for codec in codecs:
            yield Sample(
                f"txt/{name}-{codec}.txt",
                text.replace("\n", "\r\n").encode(codec),
                () if codec in _REFUSED else tuple(text.split("\n")),
                ("\ufffd",),
                reason="bad_encoding" if codec in _REFUSED else "",
            )
    old_mac = "Tide log\rHigh water 06:12\rLow water 12:25\r"
    yield Sample(
        "txt/old-mac.txt",
        old_mac.encode("mac_roman"),
        ("Tide log", "High water 06:12", "Low water 12:25"),
        (),
        "Tide log",
    )
    log = "2026-03-01 06:00:01,204 INFO  [main] pump - started\n2026-03-01 06:00:02,911 ERROR [main] pump - valve 3 stuck\n\tat kiln.Pump.open(Pump.java:42)\n"
    yield Sample(
        "txt/service.log", log.encode(), ("pump - started", "valve 3 stuck", "kiln.Pump.open(Pump.java:42)")
    )
    yield Sample("txt/README", b"KILN\n====\n\nRun `make`.\n", ("KILN", "Run `make`."))


def make_subtitles() -> Iterator[Sample]:
    """Yield SRT and VTT."""
    whisper = "1\n00:00:00,000 --> 00:00:03,200\n Welcome to the yard tour.\n\n2\n00:00:03,200 --> 00:00:06,000\n The slip was built\n\n3\n00:00:06,000 --> 00:00:09,500\n in 1931 by two brothers.\n"
    yield Sample(
        "srt/whisper.srt",
        whisper.encode(),
        ("Welcome to the yard tour. The slip was built in 1931 by two brothers.",),
        ("00:00:03,200", "-->"),
        "whisper",
    )
    chinese = "\ufeff1\r\n00:00:01,000 --> 00:00:03,000\r\n{\\an8}<i>大家好</i>，\r\n\r\n2\r\n00:00:03,000 --> 00:00:06,000\r\n欢迎参观船厂。\r\n\r\n3\r\n00:01:20,000 --> 00:01:24,000\r\n- 船坞有多长？\r\n- 八十米。\r\n"
    for codec in ("utf-8", "gb18030", "utf-16"):
        yield Sample(
            f"srt/zh-{codec}.srt",
            chinese.removeprefix("\ufeff" if codec != "utf-8" else "").encode(codec),
            ("大家好", "欢迎参观船厂。", "船坞有多长？", "八十米。"),
            ("an8", "<i>"),
        )
    french = '1\n00:00:01,000 --> 00:00:04,000\n<font color="#ffff00">Où est la clé du hangar ?</font>\n\n2\n00:00:05,000 --> 00:00:07,000\nSous l’escalier, à gauche.\n'
    yield Sample(
        "srt/fr-cp1252.srt",
        french.encode("cp1252"),
        ("Où est la clé du hangar ?", "Sous l’escalier, à gauche."),
        ("font", "ffff00"),
    )
    zoom = "WEBVTT\n\n1\n00:00:02.000 --> 00:00:04.500\nAda Holm: Shall we begin?\n\n2\n00:00:05.000 --> 00:00:08.000\nNils Berg: Yes, with the budget of 1.4 million.\n"
    yield Sample(
        "vtt/zoom.vtt",
        zoom.encode(),
        ("Ada Holm: Shall we begin?", "Nils Berg: Yes, with the budget of 1.4 million."),
        ("WEBVTT",),
        "zoom",
    )
    teams = "WEBVTT\n\n0f2a-1\n00:00:02.000 --> 00:00:04.500\n<v Ada Holm>Shall we begin?</v>\n\n0f2a-2\n00:00:05.000 --> 00:00:08.000\n<v Nils Berg>Yes, the audit\nis on 4 May.</v>\n"
    yield Sample(
        "vtt/teams.vtt",
        teams.encode(),
        ("Ada Holm", "Shall we begin?", "Nils Berg", "Yes, the audit is on 4 May."),
        ("0f2a", "<v"),
    )
    rolling = (
        "WEBVTT\nKind: captions\nLanguage: en\n\nSTYLE\n::cue { color: lime }\n\n00:00:00.000 --> 00:00:02.000 align:start position:0%\n \nthe<00:00:00.400><c> tide</c><00:00:00.900><c> turns</c>\n\n"
        "00:00:02.000 --> 00:00:02.010 align:start position:0%\nthe tide turns\n \n\n00:00:02.010 --> 00:00:04.000 align:start position:0%\nthe tide turns\nat<00:00:02.500><c> noon</c>\n"
    )
    yield Sample(
        "vtt/youtube.vtt",
        rolling.encode(),
        ("the tide turns at noon",),
        ("lime", "<c>", "the tide turns the tide turns", "align:start"),
    )
    yield Sample(
        "vtt/netflix.vtt",
        "WEBVTT\n\nNOTE credits\n\n00:01:00.000 --> 00:01:02.000 line:85%\n&lrm;潮水在正午转向。\n".encode(),
        ("潮水在正午转向。",),
        ("credits", "lrm"),
    )


_CODE: Final[Mapping[str, tuple[str, tuple[str, ...], tuple[str, ...]]]] = {
    "pump.py": ('"""Drives the pump."""\n\nclass Pump:\n    """One pump; not safe for threads."""\n\n    def open_valve(self, number: int) -> None:\n        # 先关闭主阀门\n        self.valves[number].open()\n', ("Drives the pump.", "class Pump:", "def open_valve", "# 先关闭主阀门"), ("Pump", "open_valve")),
    "latin.py": ("# -*- coding: latin-1 -*-\n# Höhe in Metern\nHOEHE = 3\n", ("# Höhe in Metern", "HOEHE = 3"), ()),
    "client.ts": ("/** Opens a session. @param host name */\nexport async function open(host: string): Promise<Session> {\n  return `${host}:8443` as never; // TLS only\n}\n", ("Opens a session.", "export async function open(host: string): Promise<Session> {", "// TLS only"), ()),
    "Valve.java": ("package kiln;\n\n/** A valve. */\npublic final class Valve {\n    static final int MAX_BAR = 12;\n}\n", ("/** A valve. */", "static final int MAX_BAR = 12;"), ()),
    "main.go": ("// Package main prints tides.\npackage main\n\nfunc main() {\n\tprintln(\"high water\")\n}\n", ("// Package main prints tides.", 'println("high water")'), ()),
    "lib.rs": ("//! Tides.\n\n/// Height in metres, 0 ≤ h < 12.\npub fn height<'a>(t: &'a str) -> f64 { 3.2 }\n", ("//! Tides.", "/// Height in metres, 0 ≤ h < 12.", "pub fn height<'a>(t: &'a str) -> f64 { 3.2 }"), ()),
    "tide.c": ("#include <stdio.h>\n/* returns 0 */\nint main(void) { printf(\"%d\\n\", 42); return 0; }\n", ("#include <stdio.h>", "/* returns 0 */", 'printf("%d\\n", 42);'), ()),
    "schema.sql": ("-- one row a boat\nCREATE TABLE boat (\n  id bigint PRIMARY KEY,\n  name text NOT NULL -- as painted\n);\n", ("-- one row a boat", "CREATE TABLE boat (", "-- as painted"), ()),
    "deploy.sh": ("#!/usr/bin/env bash\nset -euo pipefail\n# Needs the key of the yard\nscp build/* \"$HOST\":/srv/\n", ("# Needs the key of the yard", 'scp build/* "$HOST":/srv/'), ()),
    "values.yaml": ("# Defaults of the chart\nreplicas: 2\nimage:\n  tag: \"1.10\"   # a string\nzeiten: {auf: 06:00}\n", ("# Defaults of the chart", "replicas: 2", 'tag: "1.10"', "auf: 06:00"), ()),
    "pyproject.toml": ("[project]\nname = \"tide\"\nrequires-python = \">=3.11\"\n", ("[project]", 'requires-python = ">=3.11"'), ()),
    "pom.xml": ("<?xml version=\"1.0\"?>\n<!-- build of the yard -->\n<project><artifactId>tide</artifactId><version>2.4</version></project>\n", ("build of the yard", "<artifactId>tide</artifactId>"), ()),
    "app.vue": ("<template>\n  <h1>{{ title }}</h1>\n</template>\n<script setup>\nconst title = '潮汐表'\n</script>\n", ("<h1>{{ title }}</h1>", "const title = '潮汐表'"), ()),
    "legacy.ini": ("; Einstellungen für den Ofen\n[ofen]\ntür=zu\n", ("; Einstellungen für den Ofen", "tür=zu"), ()),
}  # fmt: skip


def make_code() -> Iterator[Sample]:
    """Yield source code and configuration; two files are not in UTF-8."""
    for name, (text, must, headings) in _CODE.items():
        codec = "latin-1" if name in {"latin.py", "legacy.ini"} else "utf-8"
        yield Sample(f"code/{name}", text.encode(codec), must, (), name, headings)
