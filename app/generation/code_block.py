"""A fenced code block of Markdown while its lines go by. Pure."""

from __future__ import annotations

import re


class CodeBlock:
    """An open code block; `prefix` is what stood before its marks: indentation, or the marks of a quote or a list."""

    def __init__(self, marks: str, prefix: str) -> None:
        self.marks = marks
        self.at_start = True
        self._indent = (
            len(prefix) if prefix.isspace() else sum(c in " \t" for c in prefix) + len(prefix.strip())
        )
        self._quotes = prefix.count(">")
        self._has_prefix = bool(prefix)

    def without_prefix(self, line: str) -> str:
        """A line of code without what its container puts before it."""
        quote = re.match(rf"(?:[ ]{{0,3}}>[ ]?){{0,{self._quotes}}}", line) if self._quotes else None
        if quote:
            return line[quote.end() :]
        indent = len(line) - len(line.lstrip(" \t"))
        return line[min(indent, self._indent) :] if self._has_prefix else line

    def closes(self, line: str) -> bool:
        """Whether this line ends the block; programs that see no container agree."""
        rest = self._strip(line).rstrip(" \t")
        return len(rest) >= len(self.marks) and set(rest) == {self.marks[0]}

    def may_close(self, line: str) -> bool:
        """Whether more of this line may make it one that does."""
        rest = self._strip(line).rstrip(" \t")
        return not rest or set(rest) == {self.marks[0]}

    def _strip(self, line: str) -> str:
        if self._has_prefix:
            return line.lstrip(" \t>")
        return re.sub(r"\A {1,3}", "", line)
