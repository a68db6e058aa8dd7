"""What follows an answer that was not enough: more of the same section, or where it came from and what else the
documents say of it. Pure; quotes alone, none of them said before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Final

from app.domain import Answer, AnswerKind, Citation
from app.generation.candidates import Material
from app.generation.draft import Draft
from app.generation.evidence import coverage_of
from app.generation.reply import MAX_SOURCE_CHARS, MAX_TITLE_CHARS, Voice, Wording, clip
from app.generation.standing import Standing
from app.generation.units import Unit, letters
from app.generation.wording import shown_item, shown_row, shown_sentence, shown_unit
from app.lexicon import is_chinese
from app.stored_markdown import Kind

MAX_UNITS: Final = 6  # of a section that are told at once
MAX_WORDS: Final = 90
MAX_HAN: Final = 150
MAX_OTHERS: Final = 3
SAME_SHARE: Final = (
    0.6  # of what the best unit holds of the question: another that holds so much tells of the same
)
_FURTHER: Final[Wording] = ("From the same document, under “{heading}”:", "同一文档“{heading}”一节：")
_NO_MORE: Final[Wording] = (
    "The document says no more about it. What else would you like to know?",
    "文档中没有更多相关内容。您还想了解什么？",
)
_COMES_FROM: Final[Wording] = ("The answer is what this document says:", "回答引自这份文档：")
_COMES_FROM_SEVERAL: Final[Wording] = ("The answer is what these documents say:", "回答引自这些文档：")
_ELSEWHERE: Final[Wording] = ("Other passages on it:", "其他相关内容：")
_NOTHING_ELSE: Final[Wording] = (
    "No other passage that was found says anything else about it.",
    "没有找到其他不同的说法。",
)
_WAY_OUT: Final[Wording] = (
    "If a document is wrong or out of date, it has to be corrected and taken in anew; if something else was meant,"
    " please name the thing, the year or the document.",
    "如果文档有误或已过时，需要先改正文档再重新导入；如果问的是别的，请说明具体的对象、年份或文档。",
)
_OLD: Final[Wording] = ("superseded", "已废止")
_DRAFT: Final[Wording] = ("draft", "草案")


def tell_more(units: Sequence[Unit], answer: Answer, said: str, voice: Voice) -> Answer:
    """What stands after the first thing that an answer quotes, in its section, then in the next ones of the document.

    `units` are of the hits and the chunks around them; `said` has the answers so far.
    """
    draft = Draft()
    chosen = _further(units, answer.citations[0], letters(said)) if answer.citations else []
    for heading, group in groupby(chosen, key=lambda unit: unit.heading):
        if heading != _heading_of(units, answer.citations[0]) and heading:
            draft.say(voice.word(_FURTHER, heading="{}").replace("{}", shown_sentence(heading)))
        _write_units(draft, list(group))
    if not draft.text:
        draft.say(voice.word(_NO_MORE))
    return _finish(draft, answer)


def tell_source(material: Material, answer: Answer, said: str, voice: Voice) -> Answer:
    """Which documents an answer quotes and as of when, what else the documents say of it, and what can be done."""
    draft = Draft()
    documents = {citation.document_id: citation for citation in reversed(answer.citations)}
    draft.say(voice.word(_COMES_FROM if len(documents) == 1 else _COMES_FROM_SEVERAL))
    by_start = {(unit.chunk.document_id, unit.char_start): unit for unit in material.units}
    for document_id, citation in reversed(documents.items()):
        name = call_standing(citation, material.standings.get(document_id), voice)
        unit = by_start.get((document_id, citation.char_start))
        if unit is not None:
            draft.claim(f"- {name}{voice.colon}{_line(unit)}", (unit,), before="\n")
    others = _others(material, answer, letters(said))
    draft.say(voice.word(_ELSEWHERE if others else _NOTHING_ELSE))
    for unit in others:
        name = call_standing(
            unit.chunk.cite(1, unit.char_start, unit.char_end),
            material.standings.get(unit.chunk.document_id),
            voice,
        )
        draft.claim(f"- {name}{voice.colon}{_line(unit)}", (unit,), before="\n")
    draft.say(voice.word(_WAY_OUT))
    return _finish(draft, answer)


def call_standing(citation: Citation, standing: Standing | None, voice: Voice) -> str:
    """A document by its title, its place, its date where its name has one, and whether it is in force."""
    title, source = clip(citation.title, MAX_TITLE_CHARS), clip(citation.source, MAX_SOURCE_CHARS)
    told = [source] if source != title else []
    if standing is not None:
        if standing.when[:1] == (0,):
            told.append("-".join(f"{number:02}" for number in standing.when[1:]))
        if not standing.is_in_force:
            told.append(voice.word(_DRAFT if standing.is_draft else _OLD))
    opens, closes = ("（", "）") if voice.chinese else (" (", ")")
    return f"{title}{opens}{voice.comma.join(told)}{closes}" if told else title


def _finish(draft: Draft, answer: Answer) -> Answer:
    kind: AnswerKind = "passage" if draft.claims else "chat"
    return Answer(
        draft.text,
        False,
        "extractive",
        draft.citations,
        answer.standalone_question,
        claims=draft.claims,
        kind=kind,
    )


def _further(units: Sequence[Unit], first: Citation, said: str) -> list[Unit]:
    """The units of the document behind `first` that were not said, of its own section before those of the next ones."""
    heading = _heading_of(units, first)
    fitting = [
        unit
        for unit in _in_order(units, first.document_id)
        if unit.is_answer and letters(shown_unit(unit)) not in said and letters(unit.text) not in said
    ]
    own = [unit for unit in fitting if unit.heading == heading]
    after = [unit for unit in own if unit.char_start > first.char_start]
    chosen = after + [unit for unit in own if unit.char_start < first.char_start]
    chosen = chosen or [unit for unit in fitting if unit.char_start > first.char_start]
    kept: list[Unit] = []
    words = han = 0
    for unit in chosen[:MAX_UNITS]:
        words, han = words + len(unit.text.split()), han + len(unit.text)
        if (kept and words > MAX_WORDS) or (kept and han > MAX_HAN and words < han / 3):
            break
        kept.append(unit)
    return sorted(kept, key=lambda unit: unit.char_start)


def _heading_of(units: Sequence[Unit], citation: Citation) -> str:
    inside = (
        unit.heading
        for unit in units
        if unit.chunk.document_id == citation.document_id
        and unit.char_start <= citation.char_start < unit.char_end
    )
    return next(inside, "")


def _in_order(units: Iterable[Unit], document_id: str) -> list[Unit]:
    """The units of a document as they stand in it; of chunks that overlap each stretch once."""
    found: Mapping[int, Unit] = {
        unit.char_start: unit for unit in units if unit.chunk.document_id == document_id
    }
    return [found[start] for start in sorted(found)]


def _write_units(draft: Draft, units: Sequence[Unit]) -> None:
    """Neighbouring sentences as one quote, rows, items and code on lines of their own."""
    for is_prose, group in groupby(units, key=lambda unit: unit.kind is Kind.PROSE):
        if not is_prose:
            for unit in group:
                draft.claim(_bulleted(unit), (unit,), before="\n")
            continue
        runs: list[list[Unit]] = []
        for unit in group:
            if runs and unit.char_start - runs[-1][-1].char_end <= 1:
                runs[-1].append(unit)
            else:
                runs.append([unit])
        for place, run in enumerate(runs):
            joint = "" if is_chinese(run[0].text) else " "
            draft.claim(joint.join(map(shown_unit, run)), run, before=" " if place else "\n\n")


def _bulleted(unit: Unit) -> str:
    if unit.kind is Kind.ROW:
        return f"- {shown_row(unit.names, unit.cells)}"
    return shown_item(unit.text) if unit.kind is Kind.ITEM else shown_unit(unit)


def _line(unit: Unit) -> str:
    return shown_unit(unit) if unit.kind is not Kind.CODE else " ".join(unit.text.split())


def _others(material: Material, answer: Answer, said: str) -> list[Unit]:
    """Units that hold nearly as much of the question as what the answer quotes and were not said, the best first; of a
    document one."""

    def worth(unit: Unit) -> float:
        return coverage_of(unit, material.weights, material.total)

    quoted = {
        (citation.document_id, span.char_start) for citation in answer.citations for span in citation.spans
    }
    quoted |= {(citation.document_id, citation.char_start) for citation in answer.citations}
    first = [unit for unit in material.units if (unit.chunk.document_id, unit.char_start) in quoted]
    least = SAME_SHARE * max(map(worth, first), default=0.0)
    fitting = [
        unit
        for unit in material.units
        if unit.is_answer
        and unit not in first
        and worth(unit) >= max(least, 0.01)
        and any(term in unit.own for term in material.weights)
        and letters(shown_unit(unit)) not in said
    ]
    best: dict[str, Unit] = {}
    for unit in sorted(fitting, key=worth, reverse=True):
        best.setdefault(unit.chunk.document_id, unit)
    return list(best.values())[:MAX_OTHERS]
