"""Courtesy, dialogues and topic switches on a system that is scripted by the question."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from app.domain import Answer, ChatTurn, Citation
from app.errors import GenerationError
from app.trial.question_file import Dialogue, Question
from eval.corpora import Corpora, make_corpora
from eval.probes import (
    DialogueResult,
    TemplateCount,
    ask_after_others,
    ask_dialogues,
    ask_politely,
    pair_unrelated,
)
from eval.replies import AskResult, Reply
from eval.templates import Template

Rule = Callable[[str, Sequence[ChatTurn]], str]


class ScriptedSystem:
    """Answers by `rule`; "refuse" is a refusal, "explode" a failure. What is asked with history is searched with the
    question before it where it begins with "And"."""

    def __init__(self, rule: Rule) -> None:
        self._rule = rule
        self.asked: list[tuple[str, str, tuple[str, ...]]] = []

    async def ask(
        self, question: str, collection: str, top_k: int, history: Sequence[ChatTurn] = ()
    ) -> AskResult:
        self.asked.append((question, collection, tuple(turn.content for turn in history)))
        text = self._rule(question, history)
        if text == "explode":
            raise GenerationError("It exploded.")
        standalone = (
            f"{history[-2].content} {question}" if history and question.startswith("And") else question
        )
        return AskResult(answer(text, standalone), (), None, 1.0)

    async def stored_text(self, document_id: str) -> str:
        raise NotImplementedError


def answer(text: str, standalone: str, document_id: str = "1") -> Answer:
    if text == "refuse":
        return Answer("Not in the documents.", True, "extractive", (), standalone)
    cited = Citation(1, document_id, "1", "default", "a.md", "A", None, None, 0, 1, "x", 1.0, supported=True)
    return Answer(f"{text} [1]", False, "extractive", (cited,), standalone)


def bare(question: Question, text: str, document_id: str = "1") -> Reply:
    result = AskResult(answer(text, question.question, document_id), (), None, 1.0)
    return Reply(question, question.question, None, result)


def on_one(*questions: Question) -> Corpora:
    return make_corpora([(None, Path())], ["tiny"], questions)


def ignore(done: int, total: int) -> None:
    pass


PAPER = Question("paper", "Who made paper?", gold_patterns=(re.compile("Cai Lun"),))
TEA = Question("tea", "谁写了茶书？", gold_patterns=(re.compile("陆羽"),))
CODE = Question("code", "E-107", gold_patterns=(re.compile("membrane"),), kind="identifier")
TEMPLATES = [
    Template("please", "en", "Please: {question}"),
    Template("capitals", "en", "{question}", ("all in capitals",)),
    Template("qing", "zh", "请问{question}"),
]


async def test_each_template_of_a_questions_language_is_asked() -> None:
    said: Mapping[str, str] = {
        "Please: Who made paper?": "refuse",
        "WHO MADE PAPER?": "By hand.",
        "请问谁写了茶书？": "陆羽，在唐代。",
    }
    system = ScriptedSystem(lambda question, _history: said[question])
    replies = [bare(PAPER, "Cai Lun did."), bare(TEA, "陆羽。"), bare(CODE, "membrane")]
    replies.append(bare(Question("wrong", "Who made ink?", gold_patterns=PAPER.gold_patterns), "Nobody."))
    corpora = on_one(PAPER, TEA)
    result = await ask_politely(system, corpora, replies, TEMPLATES, on_asked=ignore, top_k=5)
    assert result.templates == {
        "please": TemplateCount(asked=1, refused=1, lost=0, changed=0),
        "capitals": TemplateCount(asked=1, refused=0, lost=1, changed=1),
        "qing": TemplateCount(asked=1, refused=0, lost=0, changed=1),
    }
    assert result.refused_more == 1 / 3
    assert len(system.asked) == 3  # neither the identifier nor the question that was answered wrongly


async def test_a_polite_question_that_fails_is_lost_not_refused() -> None:
    system = ScriptedSystem(lambda _question, _history: "explode")
    result = await ask_politely(
        system, on_one(PAPER), [bare(PAPER, "Cai Lun")], TEMPLATES[:1], on_asked=ignore, top_k=5
    )
    assert result.templates["please"] == TemplateCount(asked=1, refused=0, lost=1, changed=0)


async def test_nothing_right_when_bare_leaves_nothing_to_ask() -> None:
    system = ScriptedSystem(lambda _question, _history: "x")
    result = await ask_politely(
        system, on_one(PAPER), [bare(PAPER, "Nobody.")], TEMPLATES, on_asked=ignore, top_k=5
    )
    assert result.refused_more is None


class TestDialogues:
    async def hold(self, rule: Rule, *turns: Question) -> tuple[DialogueResult, ScriptedSystem]:
        system = ScriptedSystem(rule)
        dialogue = Dialogue("d", turns)
        result = await ask_dialogues(system, on_one(*turns), [dialogue], on_asked=ignore, top_k=5)
        return result, system

    async def test_each_turn_has_those_before_it(self) -> None:
        second = Question("d/1", "And tea?", gold_patterns=(re.compile("Lu Yu"),))
        third = Question("d/2", "And ink?", answerable=False)
        said = {"Who made paper?": "Cai Lun", "And tea?": "Lu Yu", "And ink?": "refuse"}
        result, system = await self.hold(lambda question, _history: said[question], PAPER, second, third)
        assert [turn.verdict for turn in result.turns] == ["first", "first", "rightly_refused"]
        assert (result.right, len(result.followups)) == (1.0, 2)
        assert system.asked[2][2] == ("Who made paper?", "Cai Lun [1]", "And tea?", "Lu Yu [1]")

    async def test_the_old_topic_may_not_stand_in_a_later_turn(self) -> None:
        turn = Question("d/1", "VPN?", gold_patterns=(re.compile("VPN"),), must_not=re.compile("paper"))
        result, _ = await self.hold(lambda _question, _history: "VPN. Also paper by Cai Lun.", PAPER, turn)
        assert [turn.verdict for turn in result.turns] == ["first", "wrong"]
        assert result.right == 0.0

    async def test_a_turn_about_the_collection_is_judged_by_what_it_may_not_hold(self) -> None:
        thanks = Question("d/1", "Thanks!", must_not=re.compile("Cai Lun"), about_collection=True)
        more = Question("d/2", "Tell me more", about_collection=True)
        polite, _ = await self.hold(
            lambda question, _history: "Welcome." if "T" in question else "Cai Lun", PAPER, thanks, more
        )
        assert [turn.verdict for turn in polite.turns] == ["first", "about_answered", "about_answered"]
        assert polite.right == 1.0  # of one: nothing tells whether "more" was right
        again, _ = await self.hold(lambda _question, _history: "Cai Lun", PAPER, thanks, more)
        assert again.right == 0.0

    async def test_a_turn_that_fails_is_told_and_is_no_history(self) -> None:
        second = Question("d/1", "And tea?", gold_patterns=TEA.gold_patterns)
        said = {"Who made paper?": "explode", "And tea?": "陆羽"}
        result, system = await self.hold(lambda question, _history: said[question], PAPER, second)
        assert (result.turns[0].verdict, result.turns[0].error) == (
            "failed",
            "generation_failed: It exploded.",
        )
        assert system.asked[1][2] == ()
        assert result.right == 1.0

    async def test_a_dialogue_on_another_collection_is_skipped(self) -> None:
        system = ScriptedSystem(lambda _question, _history: "x")
        elsewhere = Dialogue("d", (Question("d/0", "q", collection="other"),))
        corpora = make_corpora([("firm", Path())], ["tiny"], [])
        result = await ask_dialogues(system, corpora, [elsewhere], on_asked=ignore, top_k=5)
        assert (result.skipped, result.right, system.asked) == (1, None, [])


class TestSwitch:
    FIRST = Question("a", "Who made paper?", gold_patterns=(re.compile("Cai Lun"),))
    SECOND = Question("b", "And where do rivers end?", gold_patterns=(re.compile("sea"),))
    THIRD = Question("c", "Which mountains touch clouds?", answerable=False)

    async def test_what_is_joined_with_the_question_before_is_found(self) -> None:
        replies = [
            bare(self.FIRST, "Cai Lun", "1"),
            bare(self.SECOND, "In the sea", "2"),
            bare(self.THIRD, "refuse"),
        ]
        system = ScriptedSystem(
            lambda question, _history: "Cai Lun" if question != self.THIRD.question else "refuse"
        )
        corpora = on_one(self.FIRST, self.SECOND, self.THIRD)
        result = await ask_after_others(system, corpora, replies, on_asked=ignore, top_k=5)
        assert (result.asked, list(result.joined), result.joined_share) == (3, ["b"], 1 / 3)
        assert (result.changed, result.broken) == (1, 1)
        assert system.asked[0][2] == (self.SECOND.question, "In the sea [1]")

    def test_what_stands_before_is_answered_unrelated_and_of_one_language_and_collection(self) -> None:
        subject = bare(self.FIRST, "Cai Lun", "1")
        others = [
            bare(Question("words", "What is paper?"), "x", "2"),
            bare(Question("document", "Where do rivers end?"), "x", "1"),
            bare(Question("refused", "Where do rivers end?"), "refuse"),
            bare(Question("zh", "河流在哪里结束？"), "x", "2"),
            bare(Question("other", "Where do rivers end?", collection="other"), "x", "2"),
            bare(Question("about", "Hello!", about_collection=True), "x", "2"),
        ]
        assert subject not in [reply for reply, _ in pair_unrelated([subject, *others])]
        fit = bare(Question("fit", "Where do rivers end?"), "x", "3")
        pairs = {reply.question.id: before for reply, before in pair_unrelated([subject, *others, fit])}
        assert pairs["a"] is fit
        assert "about" not in pairs

    async def test_a_question_mended_alone_is_not_joined(self) -> None:
        replies = [bare(self.FIRST, "Cai Lun", "1"), bare(self.THIRD, "x", "2")]
        mended = AskResult(answer("Cai Lun", "who made paper"), (), None, 1.0)
        replies[0] = Reply(self.FIRST, "who made papper", None, mended)

        class Mending(ScriptedSystem):
            async def ask(
                self, question: str, collection: str, top_k: int, history: Sequence[ChatTurn] = ()
            ) -> AskResult:
                await super().ask(question, collection, top_k, history)
                return AskResult(answer("Cai Lun", question.replace("papper", "paper")), (), None, 1.0)

        system = Mending(lambda _question, _history: "x")
        result = await ask_after_others(
            system, on_one(self.FIRST, self.THIRD), replies, on_asked=ignore, top_k=5
        )
        assert (result.asked, list(result.joined)) == (2, [])
