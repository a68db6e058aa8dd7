"""The steps of app/generation/inert_markdown.py inside a line: code, links and images, HTML, entities, words. Pure."""

from __future__ import annotations

import re
from typing import Final

from app.generation.inert_output import Output
from app.generation.inert_syntax import (
    ACTIVE_ELEMENTS,
    BREAKING_ELEMENTS,
    ELEMENTS,
    ENTITY,
    ENTITY_SO_FAR,
    MARK,
    MORE,
    NOT,
    ROLE,
    SEAM,
    TOKEN,
    forms_addresses,
    leads_somewhere,
    may_be_token,
    read_address,
    read_autolink,
    read_destination,
    read_hidden,
    read_tag,
)

MAX_CODE_CHARS: Final = 300  # a backtick that is not closed within this many, or on its line, is text
MAX_TURN_CHARS: Final = 2_000  # within which "Assistant:" follows on "User:" where a model goes on by itself
_USER: Final = re.compile(r"(?:User|Human|用户|用戶)[ ]?\*{0,2}[:：]", re.IGNORECASE)
_ASSISTANT: Final = re.compile(r"(?:Assistant|AI|助手|助理)[ ]?\*{0,2}[:：]\*{0,2}\s*", re.IGNORECASE)
_REPLY: Final = re.compile(
    r"(?:\n[ \t]*[*_#> ]{0,4}|[.!?。！？\]][ \t]+)(?:Assistant|AI|Model|Bot|助手|助理)\s?\*{0,2}[:：]",
    re.IGNORECASE,
)
_SENTENCE_ENDS: Final = '.!?。！？…)）"”`|' + MARK
_TICKS: Final = re.compile("`+")
_LINK: Final = re.compile(rf"\[([^\[\]\n\\`<{SEAM}]{{0,300}})\]")
_LINK_SO_FAR: Final = re.compile(rf"\[[^\[\]\n\\`<{SEAM}]{{0,300}}\Z")
_PIPE: Final = re.compile(r"(?<!\\)\\*+\|")
_PUNCTUATION: Final = frozenset("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")
_GLUES: Final = re.compile(r"[A-Za-z0-9:/]")  # before "//": a path, or an address that is known already
_ROLES_SO_FAR: Final = frozenset(
    role[:length] for role in ("assistant", "model", "final") for length in range(len(role) + 1)
) | {f"{role}:" for role in ("assistant", "model", "final")}


class InlineSteps(Output):
    """Each step looks at one place of the text and lets out what is clear from there on.

    It returns where to go on, MORE to wait for more text, NOT where it has rewritten the text that is still to come.
    """

    def __init__(self, *, cuts_turns: bool) -> None:
        super().__init__()
        self._cuts_turns = cuts_turns
        self._text = ""  # not let out yet
        self._final = False  # nothing comes behind it
        self._ended = False  # what comes is no part of the answer
        self._strikes = 0  # <s> that were not closed: </s> is not the end token then
        self._escaped_tags: list[str] = []

    # Code in a line

    def _step_code(self, pos: int) -> int:
        """A run of backticks: code up to a run of the same length on this line, else text."""
        text = self._text
        run = _TICKS.match(text, pos)
        if run is None or (run.end() == len(text) and not self._final):
            return MORE
        ticks = len(run.group())
        newline = text.find("\n", run.end(), run.end() + MAX_CODE_CHARS)
        stop = newline if newline >= 0 else run.end() + MAX_CODE_CHARS
        for closing in _TICKS.finditer(text, run.end()):
            if closing.start() >= stop:
                break
            if closing.end() == len(text) and not self._final:
                return MORE
            if len(closing.group()) == ticks:
                if self._emit_code(run.group(), text[run.end() : closing.start()]):
                    return closing.end()
                break
        else:
            if not self._final and len(text) < stop:
                return MORE
        self._emit("\\`" * ticks)
        return run.end()

    def _emit_code(self, ticks: str, code: str) -> bool:
        """Let code out; False where a link's name or a row's cells would end inside it."""
        if self._label_open and "]" in code:
            return False
        if "|" in code:
            if self._table or self._row:
                code = _PIPE.sub(r"\\|", code)
            else:
                self._code_pipe = True
        if self._last == "`" and (self._after_address or self._seam):
            self._push(" ")
        self._emit(ticks + code + ticks)
        return True

    # Links, images and their names

    def _step_bracket(self, pos: int) -> int:
        token = TOKEN.match(self._text, pos)
        if token:
            return self._step_token(token)
        step = self._step_link(pos, is_image=False)
        if step != pos:
            return step
        opens_block = self._opens_block()
        self._emit(" [" if self._last == MARK else "[")
        self._label_open = opens_block
        return pos + 1

    def _step_link(self, pos: int, *, is_image: bool) -> int:
        """Put the text of the link at `pos` in its place; `pos` itself where there is none."""
        text = self._text
        link = _LINK.match(text, pos)
        if link is None:
            return MORE if not self._final and _LINK_SO_FAR.match(text, pos) else pos
        if link.end() == len(text) and not self._final:
            return MORE
        end = self._destination(link.end())
        if end >= 0 and (is_image or leads_somewhere(text[link.end() : end])):
            self._text = f"{SEAM}{link[1]}{SEAM}{text[end:]}"
            return NOT
        return MORE if end == MORE else pos

    def _destination(self, pos: int) -> int:
        if not self._text.startswith("(", pos):
            return NOT
        return read_destination(self._text, pos, final=self._final)

    def _step_closing(self, pos: int) -> int:
        text = self._text
        if pos + 1 == len(text) and not self._final:
            return MORE
        behind = text[pos + 1 : pos + 2]
        end = self._destination(pos + 1)
        if end == MORE:
            return MORE
        names_link, self._label_open = self._label_open and behind == ":", False
        if end >= 0 and leads_somewhere(text[pos + 1 : end]):
            self._emit("]")
            self._take_out()
            return end
        self._emit("] " if names_link or behind == "(" else "]")
        return pos + 1

    def _step_exclamation(self, pos: int) -> int:
        if pos + 1 == len(self._text) and not self._final:
            return MORE
        if not self._text.startswith("[", pos + 1):
            self._emit("!")
            return pos + 1
        step = self._step_link(pos + 1, is_image=True)
        if step != pos + 1:
            return step
        self._emit("!\\[")
        return pos + 2

    def _step_parenthesis(self, pos: int) -> int:
        """An address behind a marker belongs to it and goes; other brackets stand apart from it."""
        if self._last != MARK and not (self._last == " " and self._last_visible == MARK):
            self._emit("(")
            return pos + 1
        end = self._destination(pos)
        if end == MORE:
            return MORE
        inside = self._text[pos:end] if end >= 0 else ""
        if end >= 0 and ("//" in inside or ":" in inside or "www." in inside) and MARK not in inside:
            self._take_out()
            return end
        self._emit(" (" if self._last == MARK else "(")
        return pos + 1

    # HTML, entities, escapes

    def _step_angle(self, pos: int) -> int:
        text = self._text
        if not self._final and (pos + 1 == len(text) or may_be_token(text, pos)):
            return MORE
        token = TOKEN.match(text, pos)
        if token and not (self._strikes and token.group() == "</s>"):
            return self._step_token(token)
        end = read_autolink(text, pos, final=self._final)
        if end >= 0:
            self._emit_address(text[pos + 1 : end - 1])
        if end != NOT:
            return end
        end = read_hidden(text, pos, final=self._final)
        if end == NOT:
            return self._step_tag(pos)
        if end >= 0:
            self._take_out()
        return end

    def _step_tag(self, pos: int) -> int:
        """At a tag, or at a sign that is none."""
        tag = read_tag(self._text, pos, final=self._final)
        if isinstance(tag, re.Match):
            name = tag["name"].lower()
            if self._is_dropped(name, tag["attributes"], is_closing=bool(tag["closing"])):
                if name in BREAKING_ELEMENTS and self._last not in ("", " ", "\n"):
                    self._emit(" ")
                self._take_out()
                return pos + tag.end()
        elif tag == MORE:
            return MORE
        behind = self._text[pos + 1 : pos + 2]
        acts = behind.isascii() and (behind.isalpha() or behind in {"/", "!", "?", "|"})
        self._emit("\\<" if acts else "<")
        return pos + 1

    def _is_dropped(self, name: str, attributes: str, *, is_closing: bool) -> bool:
        """Whether a tag is HTML that goes, rather than a type's argument or a comparison, which is escaped."""
        if name == "s":
            self._strikes = max(0, self._strikes + (-1 if is_closing else 1))
        if "=" in attributes or name in ACTIVE_ELEMENTS:
            return True
        if name not in ELEMENTS or attributes.strip():
            return False
        if is_closing:
            if name in self._escaped_tags:
                self._escaped_tags.remove(name)
                return False
            return True
        glued = self._last.isascii() and (self._last.isalnum() or self._last == "_")
        if glued and name not in BREAKING_ELEMENTS:
            self._escaped_tags = [*self._escaped_tags, name][-20:]
            return False
        return True

    def _step_backslash(self, pos: int) -> int:
        behind = self._text[pos + 1 : pos + 2]
        if not behind and not self._final:
            return MORE
        if behind in _PUNCTUATION and behind:
            self._emit("\\" + behind)
            return pos + 2
        self._emit("\\")
        return pos + 1

    def _step_entity(self, pos: int) -> int:
        entity = ENTITY.match(self._text, pos)
        if entity is None:
            if not self._final and ENTITY_SO_FAR.match(self._text, pos):
                return MORE
            self._emit("&")
            return pos + 1
        self._emit(("\\" if forms_addresses(entity.group()) else "") + entity.group())
        return entity.end()

    # Words

    def _step_word(self, pos: int, hot: str) -> int:
        text = self._text
        if hot[0] in ":/":
            if hot == ":" and self._last == MARK and self._mark_opens_block:
                self._push(" ")
            glued = bool(_GLUES.match(self._last)) and not self._seam
            end = NOT if hot == ":" or glued else read_address(text, pos, final=self._final)
        else:
            turn = self._step_turn(pos)
            if turn != NOT:
                return turn
            end = read_address(text, pos, final=self._final)
        if end == MORE:
            return MORE
        if end >= 0:
            self._emit_address(text[pos:end])
            return end
        hot = hot.removesuffix("\\")
        self._emit(hot)
        return pos + len(hot)

    def _emit_address(self, address: str) -> None:
        """An address as code, which no program makes a link of."""
        code = address.replace("\\", "").replace("`", "'").replace(MARK, "").replace(SEAM, "")
        if self._label_open or "|" in code:
            code = code.replace("]", "").replace("|", "")
        self._push(" " if self._last in ("`", "\\") else "")
        self._emit(f"`{code}`")
        self._after_address = True

    def _step_turn(self, pos: int) -> int:
        """A turn that the model invents ends the answer; a label "Assistant:" at its begin is none of it."""
        text = self._text
        label = (_USER if self._last_visible else _ASSISTANT).match(text, pos)
        if label is None or not self._cuts_turns:
            return NOT
        if not self._last_visible:
            if label.end() == len(text) and not self._final:
                return MORE
            self._take_out()
            return label.end()
        begins = not self._line.strip(" \t*_#>") or self._last in " \t"
        if not begins or self._last_visible not in _SENTENCE_ENDS:
            return NOT
        bounded = text[label.end() : label.end() + MAX_TURN_CHARS]
        self._ended = _REPLY.search(bounded) is not None
        undecided = not self._final and len(bounded) < MAX_TURN_CHARS
        return len(text) if self._ended else MORE if undecided else NOT

    def _step_token(self, token: re.Match[str]) -> int:
        """A special token: before the answer it goes, behind a sentence it ends the answer, elsewhere it is shown."""
        text = self._text
        if self._cuts_turns and not self._last_visible:
            role = ROLE.match(text, token.end())
            end = role.end() if role else token.end()
            rest = text[token.end() : token.end() + 100]
            if not self._final and len(rest) < 100 and rest.strip().lower() in _ROLES_SO_FAR:
                return MORE
            self._take_out()
            return end
        if self._cuts_turns and (self._last_visible in _SENTENCE_ENDS or self._last == "\n"):
            self._ended = True
            return len(text)
        self._emit("\\" + token.group()[0])
        return token.start() + 1
