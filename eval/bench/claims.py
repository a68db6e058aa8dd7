"""How well the `supported` flag tells true claims from altered ones, by kind of alteration; needs no database.

    python -m eval.bench.claims --corpus DIR --questions FILE.jsonl [--corpus DIR --questions FILE.jsonl …]

For each question the sentence of its document that holds the gold answer is a true claim, cited to its paragraph: as it
stands, with a clause dropped, or as question and answer joined, by turns. Each such claim comes in pairs with itself
altered (eval/bench/alterations.py): another number, unit, date, a negation put in or taken out, another subject of the
same document. Per kind, language and half, on the pairs: `recall` is the share of altered claims whose flag is off,
`precision` the share of altered ones among all whose flag is off, `false_alarms` the share of true claims whose flag is
off. `restated` has the share of flags off among claims that say the same in another form.

The constants of app/generation/support.py were chosen on the half "tuned"; the halves are by the hash of the id.
Questions with a `gold_regex` instead of answers and context are looked up in the corpus' Markdown and text files.

Prints one JSON object; `--show KIND` prints that kind's misses of the half "tuned" before it.
"""

from __future__ import annotations

import hashlib
import json
import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import typer
from opencc import OpenCC

from app.domain import NOT_SEARCHED, ScoredChunk
from app.generation.citations import resolve_citations
from app.lexicon import is_chinese, terms
from app.sentences import split_sentences
from eval.bench import alterations

ALTERATIONS: Final[Mapping[str, Callable[[str, str, random.Random], str | None]]] = {
    "number": alterations.alter_number,
    "unit": alterations.alter_unit,
    "date": alterations.alter_date,
    "negation_in": alterations.insert_negation,
    "negation_out": alterations.remove_negation,
    "subject": alterations.swap_subject,
}
# A negation put into a question does not negate what the question asks.
WHOLE_SENTENCES_ONLY: Final = frozenset({"negation_in", "negation_out"})
MAX_SENTENCE_CHARS: Final = 500


@dataclass(frozen=True, slots=True)
class Material:
    """A question, the sentence that answers it, its paragraph, and the text of its document."""

    id: str
    language: str
    question: str
    answer: str
    sentence: str
    paragraph: ScoredChunk
    document: str


@dataclass(frozen=True, slots=True)
class Pair:
    """A true claim and the same one altered, with the paragraph that both are cited to."""

    id: str
    kind: str
    language: str
    true: str
    altered: str
    paragraph: ScoredChunk


RESTATEMENTS: Final[Mapping[str, Callable[[Material], str | None]]] = {
    "number": lambda item: alterations.restate_number(item.sentence),
    "date": lambda item: alterations.restate_date(item.sentence),
    "clause": lambda item: alterations.drop_clause(item.sentence),
    "answer": lambda item: _join(item),  # noqa: PLW0108 - defined below
    "script": lambda item: _in_traditional(item.sentence) if item.language == "zh" else None,
}


def read_material(corpus: Path, questions: Path) -> Iterator[Material]:
    """The questions that have a sentence, ordered by the hash of their id."""
    documents = {
        path.relative_to(corpus).as_posix(): path.read_text("utf-8")
        for path in sorted(corpus.rglob("*"))
        if path.suffix in (".md", ".txt")
    }
    rows = [json.loads(line) for line in questions.read_text("utf-8").splitlines() if line.strip()]
    for row in sorted(rows, key=lambda row: _hash(str(row["id"]))):
        if row.get("answers") and row.get("context") and row["doc"] in documents:
            document = documents[row["doc"]]
            found = _find_sentence([(row["context"], None)], _holds_any(row["answers"]), row["question"])
        elif row.get("gold_regex") and row.get("answerable", True) and " && " not in row["gold_regex"]:
            gold = re.compile(row["gold_regex"])
            places = [
                (text, _find_sentence(_paragraphs(text), gold.search, row["question"]))
                for text in documents.values()
            ]
            document, found = max(
                places,
                key=lambda place: _overlap(place[1][0], row["question"]) if place[1] else -1,
                default=("", None),
            )
            row["answers"] = [match.group() for match in [gold.search(found[0])] if match] if found else []
        else:
            continue
        if found is None or len(found[0]) > MAX_SENTENCE_CHARS:
            continue
        sentence, paragraph, heading = found
        title = next((line.strip("# ") for line in document.splitlines() if line.strip("# ")), "")
        yield Material(
            str(row["id"]),
            "zh" if is_chinese(sentence) else "en",
            row["question"],
            row["answers"][-1],
            re.sub(r"^\s*(?:[-*+] |\d{1,3}[.)] )+", "", sentence),
            _as_chunk(paragraph, title, heading),
            document,
        )


def make_pairs(material: Sequence[Material], per_kind: int) -> list[Pair]:
    """Up to `per_kind` pairs of each kind, language and half."""
    counts: dict[tuple[str, str, str], int] = {}
    pairs: list[Pair] = []
    for item in material:
        for kind, alter in ALTERATIONS.items():
            key = kind, item.language, _half(item.id)
            if counts.get(key, 0) >= per_kind:
                continue
            draw = random.Random(f"{kind} {item.id}")  # noqa: S311 - which words are drawn is no secret
            true = _form(item, draw, whole=kind in WHOLE_SENTENCES_ONLY)
            altered = alter(true, item.document, draw)
            if altered is not None and altered != true:
                counts[key] = counts.get(key, 0) + 1
                pairs.append(Pair(item.id, kind, item.language, true, altered, item.paragraph))
    return pairs


def is_supported(claim: str, paragraph: ScoredChunk) -> bool:
    """Whether the claim, cited to the paragraph, gets the flag, each of its sentences."""
    text = f"{claim.rstrip('.。 ')} [1]."
    resolved = resolve_citations(text, [paragraph])
    return bool(resolved.citations) and all(citation.supported for citation in resolved.citations)


def measure(material: Sequence[Material], per_kind: int, show: str | None) -> dict[str, object]:
    """The figures named above."""
    flags: dict[tuple[str, str, str], list[tuple[bool, bool]]] = {}
    for pair in make_pairs(material, per_kind):
        key = _half(pair.id), pair.language, pair.kind
        flag = is_supported(pair.true, pair.paragraph), is_supported(pair.altered, pair.paragraph)
        flags.setdefault(key, []).append(flag)
        if show == pair.kind and key[0] == "tuned":
            if not flag[0]:
                _print_miss("FALSE ALARM", pair.id, pair.true, pair.paragraph)
            if flag[1]:
                _print_miss("PASSED", pair.id, pair.altered, pair.paragraph)
    restated: dict[tuple[str, str, str], list[bool]] = {}
    for item in material:
        for form, restate in RESTATEMENTS.items():
            key = _half(item.id), item.language, form
            claim = restate(item) if len(restated.get(key, ())) < per_kind else None
            if claim is not None:
                restated.setdefault(key, []).append(is_supported(claim, item.paragraph))
                if show == f"restated-{form}" and key[0] == "tuned" and not restated[key][-1]:
                    _print_miss("FALSE ALARM", item.id, claim, item.paragraph)
    figures: dict[str, object] = {
        f"{half} {language} {kind}": _figures(found)
        for (half, language, kind), found in sorted(flags.items())
    }
    figures["restated"] = {
        " ".join(key): {"claims": len(found), "false_alarms": round(found.count(False) / len(found), 3)}
        for key, found in sorted(restated.items())
    }
    return figures


def _figures(found: Sequence[tuple[bool, bool]]) -> dict[str, float | int | None]:
    alarms = sum(not true for true, _ in found)
    caught = sum(not altered for _, altered in found)
    return {
        "pairs": len(found),
        "precision": round(caught / (caught + alarms), 3) if caught + alarms else None,
        "recall": round(caught / len(found), 3),
        "false_alarms": round(alarms / len(found), 3),
    }


def _form(item: Material, draw: random.Random, *, whole: bool) -> str:
    """The true claim: the sentence, without a clause, or question and answer."""
    joined = None if whole else _join(item)
    form = draw.choice(("sentence", "clause", "answer") if joined else ("sentence", "clause"))
    if joined and form == "answer":
        return joined
    return (alterations.drop_clause(item.sentence) if form == "clause" else None) or item.sentence


def _join(item: Material) -> str | None:
    """Question and answer as one claim, where they are in one language."""
    if is_chinese(item.question) != (item.language == "zh"):
        return None
    return alterations.join_answer(item.question, item.answer)


def _find_sentence(
    paragraphs: Sequence[tuple[str, str | None]], holds: Callable[[str], object], question: str
) -> tuple[str, str, str | None] | None:
    """The sentence that holds the answer and most of the question, with its paragraph and heading."""
    found = [
        (text[start:end], text, heading)
        for text, heading in paragraphs
        for start, end in split_sentences(text)
        if holds(text[start:end]) and not re.match(r"\s*(?:\||#|```)", text[start:end])
    ]
    return max(found, key=lambda place: _overlap(place[0], question), default=None)


def _paragraphs(document: str) -> list[tuple[str, str | None]]:
    """The sections of a Markdown document with their headings."""
    sections = re.split(r"^(#{1,6} .*)$", document, flags=re.MULTILINE)
    headings = [None, *(heading.strip("# ") for heading in sections[1::2])]
    return [
        (text.strip(), heading) for text, heading in zip(sections[::2], headings, strict=True) if text.strip()
    ]


def _holds_any(answers: Sequence[str]) -> Callable[[str], bool]:
    return lambda sentence: any(answer in sentence for answer in answers)


def _overlap(sentence: str, question: str) -> int:
    return len(set(terms(sentence)) & set(terms(question)))


def _as_chunk(paragraph: str, title: str, heading: str | None) -> ScoredChunk:
    return ScoredChunk(
        chunk_id="c1",
        document_id="d1",
        collection="default",
        source="d1.md",
        title=title,
        page=None,
        heading=heading,
        char_start=0,
        char_end=len(paragraph),
        text=paragraph,
        score=0.5,
        scores=NOT_SEARCHED,
        rank=1,
    )


def _half(identity: str) -> str:
    return "tuned" if int(_hash(identity)[-1], 16) % 2 == 0 else "unseen"


def _hash(identity: str) -> str:
    return hashlib.sha256(identity.encode()).hexdigest()


def _in_traditional(sentence: str) -> str:
    return str(_TRADITIONAL.convert(sentence))


_TRADITIONAL: Final = OpenCC("s2t")


def _print_miss(what: str, identity: str, claim: str, paragraph: ScoredChunk) -> None:
    citations = resolve_citations(f"{claim.rstrip('.。 ')} [1].", [paragraph]).citations
    print(f"{what} {identity}\n  claim: {claim}\n  quote: {' | '.join(c.quote for c in citations)}\n")


def main(
    corpus: Annotated[list[Path], typer.Option(help="Folder of documents, one for each question file.")],
    questions: Annotated[list[Path], typer.Option(help="Questions, JSON Lines.")],
    per_kind: Annotated[int, typer.Option(help="Pairs of each kind, language and half at most.")] = 100,
    show: Annotated[str | None, typer.Option(help="Print the misses of this kind.")] = None,
) -> None:
    """Measure the supported flag on true claims and altered ones."""
    if len(corpus) != len(questions):
        raise typer.BadParameter("each --questions needs its own --corpus")
    material = [
        item for folder, file in zip(corpus, questions, strict=True) for item in read_material(folder, file)
    ]
    # Small sets first, so that the limit does not leave them out.
    print(json.dumps(measure(material, per_kind, show), ensure_ascii=False))


if __name__ == "__main__":
    typer.run(main)
