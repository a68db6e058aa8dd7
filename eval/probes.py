"""The same questions asked otherwise: with courtesy, in a dialogue, after another topic.

Each probe asks one after the other and takes what was answered to the bare questions as given. Knows the system by
the protocol `Ask` alone. A reply that fails with a PgaskError counts as failed, neither refused nor right.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from app.domain import Answer, ChatTurn
from app.errors import PgaskError
from app.lexicon import terms
from app.trial.question_file import Dialogue, Question
from eval.corpora import Corpora
from eval.replies import Reply
from eval.templates import Template
from eval.verdicts import JUDGED, RIGHT, RIGHT_FACT, Verdict, judge

if TYPE_CHECKING:
    from eval.runner import Ask

# A word or a code alone is no sentence: nobody puts "请问" before it.
KINDS_WITHOUT_COURTESY: Final = frozenset({"one-word", "identifier"})

OnAsked = Callable[[int, int], None]  # done, total


@dataclass(frozen=True, slots=True)
class TemplateCount:
    """What became of the questions that were answered right when bare. `refused`, `lost` (answered, but no longer
    right) and the rest, which is right, add up to `asked`; `changed` are answered in other words, right or not."""

    asked: int
    refused: int
    lost: int
    changed: int


@dataclass(frozen=True, slots=True)
class PoliteResult:
    """Courtesy, by template."""

    templates: Mapping[str, TemplateCount]

    @property
    def refused_more(self) -> float | None:
        """Of all replies the share that was refused; bare, none of these questions was."""
        asked = sum(count.asked for count in self.templates.values())
        return sum(count.refused for count in self.templates.values()) / asked if asked else None


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of a dialogue with its reply; `answer` None: it failed with `error`."""

    dialogue: str
    question: Question
    answer: Answer | None
    verdict: Verdict
    follows: bool  # there was a turn before it
    error: str | None = None


@dataclass(frozen=True, slots=True)
class DialogueResult:
    """Every turn of every dialogue, in order."""

    turns: Sequence[Turn]
    skipped: int = 0  # dialogues on a collection that was not given

    @property
    def followups(self) -> list[Turn]:
        """The turns after the first."""
        return [turn for turn in self.turns if turn.follows]

    @property
    def right(self) -> float | None:
        """Of the turns after the first that can be judged the share that is right. Of a greeting or a question on the
        collection only what it may not hold can be judged."""
        judged = [turn for turn in self.followups if _is_judged(turn.question, turn.verdict)]
        return sum(_is_right(turn.verdict) for turn in judged) / len(judged) if judged else None


@dataclass(frozen=True, slots=True)
class SwitchResult:
    """Questions asked alone and after an unrelated one."""

    asked: int
    joined: Sequence[str]  # ids of the questions that were searched in other words because of the one before
    changed: int  # another text or another refusal than alone
    broken: int  # right alone, not right after the other

    @property
    def joined_share(self) -> float | None:
        """Of the questions asked the share that was joined with the one before."""
        return len(self.joined) / self.asked if self.asked else None


@dataclass(frozen=True, slots=True)
class Probes:
    """What was asked beside the bare questions; None: it was not asked for."""

    polite: PoliteResult | None = None
    dialogues: DialogueResult | None = None
    switch: SwitchResult | None = None

    def figures(self) -> dict[str, float | None]:
        """The figures of the probes that ran, by their keys."""
        figures: dict[str, float | None] = {}
        if self.polite is not None:
            figures["polite_refused_more"] = self.polite.refused_more
        if self.dialogues is not None:
            figures["followup_right"] = self.dialogues.right
        if self.switch is not None:
            figures["joined"] = self.switch.joined_share
        return figures


@dataclass(slots=True)
class _Asker:
    """Asks, and counts failures instead of raising them."""

    ask: Ask
    corpora: Corpora
    top_k: int
    errors: list[str] = field(default_factory=list)

    async def answer(
        self, question: Question, wording: str, history: Sequence[ChatTurn] = ()
    ) -> Answer | None:
        collection = self.corpora.place(question).collection
        try:
            return (await self.ask.ask(wording, collection, self.top_k, history)).answer
        except PgaskError as error:
            self.errors.append(f"{error.code}: {error}")
            return None


async def ask_politely(
    ask: Ask,
    corpora: Corpora,
    replies: Sequence[Reply],
    templates: Sequence[Template],
    *,
    on_asked: OnAsked,
    top_k: int,
) -> PoliteResult:
    """Ask each question that was answered right when bare in every template of its language. Questions that are a word
    or a code alone are left out."""
    asker = _Asker(ask, corpora, top_k)
    pairs = [
        (template, reply)
        for template in templates
        for reply in replies
        if reply.verdict in RIGHT_FACT
        and reply.question.kind not in KINDS_WITHOUT_COURTESY
        and reply.language == template.language
    ]
    counts = {template.id: Counter[str]() for template in templates}
    for done, (template, reply) in enumerate(pairs):
        on_asked(done, len(pairs))
        counts[template.id].update(await _ask_in(asker, template, reply))
    on_asked(len(pairs), len(pairs))
    return PoliteResult(
        {
            name: TemplateCount(count["asked"], count["refused"], count["lost"], count["changed"])
            for name, count in counts.items()
        }
    )


async def _ask_in(asker: _Asker, template: Template, reply: Reply) -> list[str]:
    """What happened to one question in one template, as fields of TemplateCount."""
    answer = await asker.answer(reply.question, template.word(reply.asked))
    if answer is not None and answer.abstained:
        return ["asked", "refused"]
    happened = ["asked"]
    if judge(reply.question, answer) not in RIGHT_FACT:
        happened.append("lost")
    if answer is not None and reply.answer is not None and answer.text != reply.answer.text:
        happened.append("changed")
    return happened


async def ask_dialogues(
    ask: Ask, corpora: Corpora, dialogues: Sequence[Dialogue], *, on_asked: OnAsked, top_k: int
) -> DialogueResult:
    """Ask the turns of each dialogue in order, each with the questions and answers before it as history. A turn that
    fails is no part of the history of the next."""
    kept = corpora.keep(dialogues)
    turns: list[Turn] = []
    for done, dialogue in enumerate(kept):
        on_asked(done, len(kept))
        history: list[ChatTurn] = []
        for at, question in enumerate(dialogue.turns):
            asker = _Asker(ask, corpora, top_k)
            answer = await asker.answer(question, question.question, tuple(history))
            verdict = judge(question, answer, in_dialogue=at > 0)
            error = asker.errors[0] if asker.errors else None
            turns.append(Turn(dialogue.id, question, answer, verdict, follows=at > 0, error=error))
            if answer is not None:
                history += make_history(question.question, answer)
    on_asked(len(kept), len(kept))
    return DialogueResult(turns, skipped=len(dialogues) - len(kept))


async def ask_after_others(
    ask: Ask, corpora: Corpora, replies: Sequence[Reply], *, on_asked: OnAsked, top_k: int
) -> SwitchResult:
    """Ask each question, which was asked alone before, once more after an unrelated one with its answer as history.
    Greetings and questions on the collection are left out: they may well mean what was said before."""
    asker = _Asker(ask, corpora, top_k)
    pairs = pair_unrelated(replies)
    joined, changed, broken = [], 0, 0
    for done, (reply, before) in enumerate(pairs):
        on_asked(done, len(pairs))
        if before.answer is None or reply.answer is None:
            continue  # `pair_unrelated` takes answered ones alone
        answer = await asker.answer(reply.question, reply.asked, make_history(before.asked, before.answer))
        if answer is None:
            broken += reply.verdict in RIGHT
            continue
        # What is mended in the question alone is not the history's doing.
        if answer.standalone_question.strip() not in (
            reply.asked.strip(),
            reply.answer.standalone_question.strip(),
        ):
            joined.append(reply.question.id)
        changed += answer.text != reply.answer.text
        broken += reply.verdict in RIGHT and judge(reply.question, answer) not in RIGHT
    on_asked(len(pairs), len(pairs))
    return SwitchResult(len(pairs), joined, changed, broken)


def pair_unrelated(replies: Sequence[Reply]) -> list[tuple[Reply, Reply]]:
    """Each reply with the one whose question is to be asked before it: answered, of the same collection and language,
    without a term or a cited document in common; of those, the first after the place half the set away, so that
    neighbours, which are often of one kind, do not meet. Replies without such a partner are left out."""
    count = len(replies)
    words = [frozenset(terms(reply.asked)) for reply in replies]
    pairs = []
    for at, reply in enumerate(replies):
        if reply.answer is None or reply.question.about_collection:
            continue
        order = ((at + count // 2 + step) % count for step in range(count))
        before = next(
            (
                replies[other]
                for other in order
                if other != at
                and _can_stand_before(replies[other], reply)
                and words[other].isdisjoint(words[at])
            ),
            None,
        )
        if before is not None:
            pairs.append((reply, before))
    return pairs


def make_history(question: str, answer: Answer) -> tuple[ChatTurn, ChatTurn]:
    """A question and its answer as the next question's history."""
    return ChatTurn("user", question), ChatTurn("assistant", answer.text)


def _can_stand_before(before: Reply, reply: Reply) -> bool:
    return (
        before.answer is not None
        and not before.answer.abstained
        and not before.question.about_collection
        and before.question.collection == reply.question.collection
        and before.language == reply.language
        and reply.answer is not None
        and {c.document_id for c in before.answer.citations}.isdisjoint(
            c.document_id for c in reply.answer.citations
        )
    )


def _is_judged(question: Question, verdict: Verdict) -> bool:
    return verdict in JUDGED or (verdict.startswith("about_") and question.must_not is not None)


def _is_right(verdict: Verdict) -> bool:
    return verdict in RIGHT or verdict in ("about_answered", "about_abstained")
