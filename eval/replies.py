"""A reply to one question: what came back, what counts as a hit, and its scores.

Pure; knows nothing of how the question was asked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.domain import Answer, ScoredChunk
from app.lexicon import is_chinese
from app.trial.gold import Gold, hits
from app.trial.question_file import Question
from eval import metrics
from eval.summary import QuestionScores
from eval.tokenization import count_words
from eval.verdicts import Verdict, counts_as_fact, is_one_language, judge, read_answer
from eval.wordnet import Synonyms


@dataclass(frozen=True, slots=True)
class AskResult:
    """An answer with what it rests on; without one where the question was only searched for."""

    answer: Answer | None
    hits: Sequence[ScoredChunk]  # the retrieved chunks, best first
    answerability: float | None  # in [0, 1]: how sure the system is that the documents hold the answer
    latency_ms: float


@dataclass(frozen=True, slots=True)
class Reply:
    """One question with the system's reply, checked against the stored texts."""

    question: Question
    asked: str
    gold: Gold | None  # None: the question names no document
    result: AskResult | None  # None: the question failed
    error: str | None = None  # "code: message" of the failure
    exact: tuple[bool, ...] = ()  # for each citation: whether its quote is the stored text

    @property
    def chunks(self) -> Sequence[ScoredChunk]:
        """The retrieved chunks, best first."""
        return self.result.hits if self.result else ()

    @property
    def hits(self) -> list[bool]:
        """For each retrieved chunk, whether it hits."""
        return [self.gold is not None and hits(chunk, self.gold) for chunk in self.chunks]

    @property
    def ranking_counts(self) -> bool:
        """Whether retrieval is judged. The passage of an unanswerable question is a near miss: to find it is
        neither right nor wrong."""
        return self.gold is not None and self.question.answerable

    @property
    def answer(self) -> Answer | None:
        """None for a failure, and where the question was only searched for."""
        return self.result.answer if self.result else None

    @property
    def abstained(self) -> bool:
        """Whether the system said that the documents do not hold the answer."""
        return self.answer is not None and self.answer.abstained

    @property
    def answer_text(self) -> str:
        """The answer without its citation markers; empty for an abstention and for a failure."""
        return read_answer(self.answer) if self.answer else ""

    @property
    def language(self) -> str:
        """Of the wording that was asked: "en" or "zh"."""
        if self.asked == self.question.question:
            return self.question.language
        return "zh" if is_chinese(self.asked) else "en"

    @property
    def verdict(self) -> Verdict | None:
        """Whether the reply is right; None where the question was only searched for."""
        only_searched = self.result is not None and self.result.answer is None
        return None if only_searched else judge(self.question, self.answer)


def score_reply(
    reply: Reply, ranks: Mapping[str, float] | None, top_k: int, synonyms: Synonyms
) -> QuestionScores:
    """Scores of one reply. `ranks` are its row of `metrics.rank_scores`, None where retrieval is not judged;
    measures deeper than `top_k` are left out, as a ranking cut above k can't be judged at k. A question that was only
    searched for has no scores of its answer."""
    text = reply.answer_text
    only_searched = reply.result is not None and reply.result.answer is None
    golds = () if only_searched else reply.question.answers
    answerability = reply.result.answerability if reply.result else None
    return QuestionScores(
        retrieval=None if ranks is None else {key: ranks[key] for key in ranks if _depth(key) <= top_k},
        chunk_words=tuple(count_words(chunk.text) for chunk in reply.chunks),
        answer=_answer_scores(text, golds, synonyms) if golds else None,
        bleu=metrics.bleu_counts(text, golds) if golds else None,
        answer_words=count_words(text) if text else None,
        answerable=reply.question.answerable,
        abstained=reply.abstained,
        abstain_score=float(reply.abstained) if answerability is None else 1 - answerability,
        citations=len(reply.exact),
        citations_exact=sum(reply.exact),
        latency_ms=reply.result.latency_ms if reply.result else None,
        failed=reply.result is None,
        only_searched=only_searched,
        verdict=reply.verdict,
        counts_as_fact=counts_as_fact(reply.question),
        one_language=is_one_language(reply.question),
        kind=reply.question.kind,
        about_collection=reply.question.about_collection,
    )


def _depth(key: str) -> int:
    return int(key.rpartition("@")[2])


def _answer_scores(text: str, golds: Sequence[str], synonyms: Synonyms) -> dict[str, float]:
    return {
        "answer_contains_gold": metrics.answer_contains_gold(text, golds),
        "exact_match": metrics.exact_match(text, golds),
        "token_f1": metrics.token_f1(text, golds),
        **metrics.rouge(text, golds),
        "rougeS": metrics.rouge_s(text, golds),
        "meteor": metrics.meteor(text, golds, synonyms),
    }
