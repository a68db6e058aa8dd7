"""Which files of a folder are not wanted: .gitignore, .pgaskignore and the globs of --exclude and --include.

One grammar for all, that of gitignore(5): a name alone counts at any depth, one with a slash from its folder on, `**`
is any number of folders, a slash at the end means folders, `!` takes back, and the last line that fits decides.
Pure: lines and names in, verdicts out. pathspec would do this, but its licence (MPL) is not one of ours.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

IGNORE_FILES: Final = (".gitignore", ".pgaskignore")  # in this order: what is said to pgask decides
_ANY_DEPTH: Final = None  # `**`
_ESCAPED: Final = re.compile(r"\\(.)")


@dataclass(frozen=True, slots=True)
class Rule:
    """One line: `segments` are compared with the names of a path from the folder on that the line belongs to."""

    segments: tuple[re.Pattern[str] | None, ...]
    is_taken_back: bool
    folders_only: bool

    def fits(self, names: Sequence[str], *, is_folder: bool) -> bool:
        """Whether it names this path itself; what lies in a folder that it names is the caller's business."""
        if self.folders_only and not is_folder:
            return False
        reached = self._skipping({0})
        for name in names:
            further = set()
            for at in reached:
                if at < len(self.segments):
                    segment = self.segments[at]
                    if segment is _ANY_DEPTH:
                        further.add(at)
                    elif segment.match(name):
                        further.add(at + 1)
            reached = self._skipping(further)
        return len(self.segments) in reached

    def _skipping(self, reached: set[int]) -> set[int]:
        """`**` may stand for no folder at all."""
        for at in sorted(reached):
            further = at
            while further < len(self.segments) and self.segments[further] is _ANY_DEPTH:
                further += 1
                reached.add(further)
        return reached


def parse_rules(lines: Iterable[str]) -> tuple[Rule, ...]:
    """Read the lines of an ignore file; comments and empty ones are no rules.

    >>> build, = parse_rules(["# made by the build", "", "docs/**/out/"])
    >>> build.fits(["docs", "en", "out"], is_folder=True), build.fits(["docs", "out"], is_folder=False)
    (True, False)
    """
    rules = []
    for line in lines:
        glob = line.strip()
        if not glob or glob.startswith("#"):
            continue
        is_taken_back = glob.startswith("!")
        glob = glob.removeprefix("!")
        folders_only = glob.endswith("/")
        parts = [part for part in glob.split("/") if part]
        if not parts:
            continue
        if "/" not in glob.rstrip("/"):
            parts.insert(0, "**")
        if parts[-1] == "**":  # what lies inside, not the folder itself
            parts.append("*")
        segments = tuple(_ANY_DEPTH if part == "**" else _compile(part) for part in parts)
        rules.append(Rule(segments, is_taken_back, folders_only))
    return tuple(rules)


def _compile(part: str) -> re.Pattern[str]:
    # Without groups to go back into: a line of many stars must not hold up the run (fnmatch sees to that).
    part = _ESCAPED.sub(lambda found: f"[{found[1]}]" if found[1] in "*?[" else found[1], part)
    return re.compile(fnmatch.translate(part.replace("[^", "[!")))


@dataclass(frozen=True, slots=True)
class Selection:
    """What of the given folders is wanted. `include`: files that fit one of these rules or lie in a folder that does,
    all where there are none; `exclude` goes first. Both count from the given folder on."""

    include: tuple[Rule, ...] = ()
    exclude: tuple[Rule, ...] = ()

    @classmethod
    def from_globs(cls, include: Sequence[str], exclude: Sequence[str]) -> Selection:
        """The rules of --include and --exclude."""
        return cls(parse_rules(include), parse_rules(exclude))

    def leaves_out(self, names: Sequence[str], *, is_folder: bool) -> bool:
        """Whether a path is unwanted. A folder is looked through, since something in it may be included."""
        if decide(self.exclude, names, is_folder=is_folder):
            return True
        if is_folder or not self.include:
            return False
        inside = any(decide(self.include, names[:depth], is_folder=True) for depth in range(1, len(names)))
        return not inside and not decide(self.include, names, is_folder=False)


def decide(rules: Sequence[Rule], names: Sequence[str], *, is_folder: bool) -> bool | None:
    """What the last rule that fits says: True for named, False for taken back; None where none fits."""
    for rule in reversed(rules):
        if rule.fits(names, is_folder=is_folder):
            return not rule.is_taken_back
    return None
