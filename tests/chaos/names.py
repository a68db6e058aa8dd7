"""Hostile names through folders, archives, arguments and what is printed (R24).

    .venv/bin/python -m tests.chaos.names [--names N] [--seed S] [--out FOLDER]

Files under such names in a folder, with links that lead out of it; members of such names in EPUB, DOCX, PPTX and XLSX
files; such names as arguments. Each file must end stored or with a reason code; nothing may be written outside the
database, nothing be read from outside the folder, and no output of the commands may hold a character that acts on a
terminal. Prints one JSON object.
"""

from __future__ import annotations

import argparse
import io
import os
import subprocess
import sys
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from html import escape
from pathlib import Path
from typing import Final

from app.errors import DocumentError, InvalidRequestError
from app.server.embedded import EmbeddedPostgres
from app.store.connection import Database, connect
from app.store.migrate import migrate
from ingest.parsers import docx, epub, pptx, xlsx
from ingest.reasons import REASONS
from ingest.roots import name_paths
from ingest.sandbox import SandboxedParser
from ingest.sources import find_sources
from tests.chaos.evidence import ROOT, report
from tests.chaos.hostile import fact, hostile_names, hostile_paths
from tests.integration.ingesting import open_run
from tests.office import (
    build_docx,
    build_epub,
    build_pptx,
    build_xlsx,
    pack,
    paragraph,
    relationships,
    row,
    shape,
)

SECRET: Final = "The secret that lies outside of the folder is a purple heron."
_MEMBERS: Final = 40  # hostile ones in an archive
_NUL: Final = "\ue000"


@dataclass(slots=True)
class Figures:
    """What a run found."""

    names: int = 0
    stored: int = 0
    hidden: int = 0  # they begin with a dot, and are left out as the documentation says
    failed: dict[str, int] = field(default_factory=dict)
    links: int = 0
    archives: int = 0
    members: int = 0
    archives_read: int = 0
    archives_refused: dict[str, int] = field(default_factory=dict)
    arguments: int = 0
    outputs: int = 0
    seconds: float = 0.0
    # What should be empty.
    wrong: list[str] = field(default_factory=list)

    def passed(self) -> bool:
        """Tell whether every name had an end and did no harm."""
        ended = self.stored + self.hidden + sum(self.failed.values()) == self.names + self.links
        return not self.wrong and ended and self.archives_read > 0


def run(database: Database, scratch: Path, *, names: int, seed: int) -> Figures:
    """Try them all, with a migrated database, in an empty folder of the caller's."""
    figures = Figures()
    began = time.monotonic()
    folder = write_folder(scratch, names=names, seed=seed)
    before = tree(scratch)
    with SandboxedParser() as parser:
        take_in(database, folder, figures, parser)
        read_archives(names, seed, figures, parser)
    try_arguments(names, seed, figures)
    look_at_outputs(database, folder, figures)
    if tree(scratch) != before:
        figures.wrong.append("something was written beside the database")
    figures.seconds = round(time.monotonic() - began, 1)
    return figures


def write_folder(scratch: Path, *, names: int, seed: int) -> Path:
    """Make a folder of hostile names, some of them folders, with links out of it, and a secret beside it."""
    folder = scratch / "corpus"
    folder.mkdir()
    (scratch / "secret").mkdir()
    (scratch / "secret/secret.md").write_text(SECRET)
    for number, made in enumerate(hostile_names(seed, names)):
        name = os.fsdecode(made)
        at = folder / f"in {name.removesuffix('.md')}" if number % 5 == 0 else folder
        at.mkdir(exist_ok=True)
        (at / name).write_text(fact(number))
    for link, target in _LINKS.items():
        (folder / link).symlink_to(target)
    return folder


_LINKS: Final[Mapping[str, str]] = {
    "link.md": "../secret/secret.md",
    "absolute.md": "/etc/hostname",
    "folder": "../secret",
    "parent": "..",
    "chain.md": "chain2.md",
    "chain2.md": "folder/secret.md",
    "proc.md": "/proc/self/environ",
    "zero.txt": "/dev/zero",
}


def tree(folder: Path) -> list[tuple[str, int]]:
    """Every path below a folder and its size."""
    return sorted((ascii(path), path.lstat().st_size) for path in folder.rglob("*"))


def take_in(database: Database, folder: Path, figures: Figures, parser: SandboxedParser) -> None:
    """Ingest the folder and hold each file to an end."""
    with open_run(database, parse=parser.parse) as ingest:
        done = ingest.execute(ingest.plan([folder]))
    figures.stored = done.new + len(done.duplicates)
    figures.failed = dict(sorted(Counter(failure.code for failure in done.failed).items()))
    figures.links = len(_LINKS)
    files = [path for path in folder.rglob("*") if not path.is_symlink() and path.is_file()]
    figures.names = len(files)
    # One in a folder that is refused for its name has its end in the folder's.
    figures.hidden = sum(path.name.startswith(".") and _is_utf8(path.parent.name) for path in files)
    figures.wrong += [
        f"no reason: {f.source!a}" for f in done.failed if f.code not in REASONS or not f.detail
    ]
    outside = [failure.source for failure in done.failed if failure.code == "outside_root"]
    figures.wrong += [f"followed: {name}" for name in _LINKS if name not in outside]
    with connect(database.app) as connection:
        leaked = connection.execute(
            "SELECT source FROM pgask.documents WHERE id IN (SELECT document_id FROM"
            " pgask.document_texts WHERE text LIKE '%purple heron%') OR source LIKE '/%' OR"
            " source ~ '(^|/)\\.\\.(/|$)'"
        ).fetchall()
    figures.wrong += [f"leads out: {source!a}" for (source,) in leaked]


def _is_utf8(name: str) -> bool:
    return os.fsencode(name).decode("utf-8", "ignore") == name


def read_archives(names: int, seed: int, figures: Figures, parser: SandboxedParser) -> None:
    """Parse archives with hostile members, which the parts that are read point at."""
    paths = hostile_paths(seed, names)
    for start in range(0, len(paths), _MEMBERS):
        for media_type, build in _ARCHIVES.items():
            content = build([path.replace("\0", _NUL) for path in paths[start : start + _MEMBERS]])
            content = content.replace(_NUL.encode(), b"\0" * len(_NUL.encode()))  # zipfile writes none
            figures.archives += 1
            figures.members += len(paths[start : start + _MEMBERS])
            try:
                document = parser.parse(content, media_type, "archive")
                figures.archives_read += "plain part" in document.text
            except DocumentError as error:
                figures.archives_refused[error.code] = figures.archives_refused.get(error.code, 0) + 1
                if error.code not in REASONS:
                    figures.wrong.append(f"{media_type}: {error.code}")


def _book(paths: Sequence[str]) -> bytes:
    named = {escape(path): "<p>x</p>" for path in paths if _fits_xml(path)}
    return build_epub({"c.xhtml": "<p>plain part</p>", **named})


def _fits_xml(path: str) -> bool:
    return all(char >= " " for char in path)


def _with_members(content: bytes, paths: Sequence[str], relations: str, kind: str) -> bytes:
    """Add members of these names, and relations of the main part that point at them."""
    members = members_of(content)
    own = members[relations].decode().removesuffix("</Relationships>")
    links = relationships(
        {f"h{at}": (kind, escape(path)) for at, path in enumerate(paths) if _fits_xml(path)}
    )
    members[relations] = (own + links.partition(">")[2]).encode()
    return pack({**dict.fromkeys(paths, b"<x/>"), **members})


def members_of(content: bytes) -> dict[str, bytes]:
    """The members of an archive by their names."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


_ARCHIVES: Final[Mapping[str, Callable[[Sequence[str]], bytes]]] = {
    epub.MEDIA_TYPE: _book,
    docx.MEDIA_TYPE: lambda paths: _with_members(
        build_docx(paragraph("plain part")), paths, "word/_rels/document.xml.rels", "footnotes"
    ),
    pptx.MEDIA_TYPE: lambda paths: _with_members(
        build_pptx([shape("plain part")]), paths, "ppt/slides/_rels/slide1.xml.rels", "notesSlide"
    ),
    xlsx.MEDIA_TYPE: lambda paths: _with_members(
        build_xlsx({"S": row("plain part", "x")}), paths, "xl/_rels/workbook.xml.rels", "sharedStrings"
    ),
}


def try_arguments(names: int, seed: int, figures: Figures) -> None:
    """Name each as a path to ingest, from an empty folder: it is there or it is refused in one line."""
    with tempfile.TemporaryDirectory(prefix="pgask-chaos-") as root:
        # So deep that no ".." leaves it: what lies beside may be a large disk.
        empty = Path(root, *"abcdefgh")
        empty.mkdir(parents=True)
        for path in hostile_paths(seed, names):
            figures.arguments += 1
            try:
                find_sources(name_paths([empty / path]))
            except InvalidRequestError as error:
                if not str(error) or error.code not in {"path_not_found", "duplicate_source"}:
                    figures.wrong.append(f"argument {path!a}: {error.code}")


def look_at_outputs(database: Database, folder: Path, figures: Figures) -> None:
    """Run the commands that print names and look for characters that act on a terminal."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PGASK_")}
    urls = {"PGASK_DATABASE_URL": database.app, "PGASK_OWNER_DATABASE_URL": database.owner}
    for command in (
        ["pgask", "documents"],
        ["pgask", "documents", "--json"],
        ["ingest", str(folder), "--dry-run"],
        ["ingest", str(folder), "--dry-run", "--json"],
        ["ingest", "--dry-run", str(folder / "\x1b[2Jnone")],
    ):
        done = subprocess.run(
            [str(Path(sys.executable).with_name(command[0])), *command[1:]],
            cwd=ROOT,
            env=kept | urls | {"HF_HUB_OFFLINE": "1", "PGASK_EMBEDDING_MODEL": ""},
            capture_output=True,
            check=False,
            timeout=300,
        )
        figures.outputs += 1
        text = (done.stdout + done.stderr).decode("utf-8", "surrogateescape")
        acting = sorted({c for c in text if not c.isprintable() and c not in "\n\t\u3000"})
        if acting:
            figures.wrong.append(f"{' '.join(command[:2])!a} prints {''.join(acting)!a}")
        if "Traceback" in text:
            figures.wrong.append(f"{' '.join(command[:2])!a} ends with a traceback: {text[-300:]!a}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; exit status 0 if the run passed."""
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--names", type=int, default=1_000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--out", type=Path)
    chosen = options.parse_args(arguments)
    with (
        tempfile.TemporaryDirectory(prefix="pgask-chaos-") as home,
        tempfile.TemporaryDirectory(prefix="pgask-chaos-") as scratch,
        EmbeddedPostgres(Path(home) / "home") as server,
    ):
        urls = server.start()
        database = Database(owner=urls.owner, app=urls.app)
        migrate(database)
        figures = run(database, Path(scratch), names=chosen.names, seed=chosen.seed)
    told = {**asdict(figures), "passed": figures.passed()}
    return 0 if report("names", chosen.seed, told, out=chosen.out) else 1


if __name__ == "__main__":
    sys.exit(main())
