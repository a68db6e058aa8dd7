"""The metrics, each one pure function on plain values: how good is a ranking, an answer, an abstention.

Knows nothing of files, the service or reports. Every score lies in [0, 1], higher is better; where a set
has several gold answers the best one counts. Means over questions and intervals: eval/summary.py.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from typing import Final, TypeVar

import ir_measures
from ir_measures import RR, R, nDCG
from nltk.stem.porter import PorterStemmer
from nltk.translate.meteor_score import meteor_score
from rouge_score.rouge_scorer import RougeScorer
from sacrebleu.metrics.bleu import BLEU

from app.trial.gold import first_hit_rank
from eval.tokenization import HAN_CHARACTER, answer_tokens, normalise, normalise_answer, phrase_tokens, words
from eval.wordnet import Synonyms

RANK_MEASURES: Final = {
    "recall@1": R @ 1,
    "recall@5": R @ 5,
    "recall@10": R @ 10,
    "mrr@10": RR @ 10,
    "ndcg@10": nDCG @ 10,
}
ROUGE_TYPES: Final = ("rouge1", "rouge2", "rougeL")
BLEU_ORDER: Final = 4

_T = TypeVar("_T")


# Retrieval -------------------------------------------------------------------------------------------------


def rank_scores(hits: Mapping[str, Sequence[bool]]) -> dict[str, dict[str, float]]:
    """Score rankings by ir-measures: question id → key of RANK_MEASURES → value.

    `hits[id][i]` says whether the chunk at rank i+1 hits. A question has exactly one relevant item, its gold
    passage, found at the rank of the first hit; further chunks that overlap it (chunks do overlap) find
    nothing new and count as not relevant. So recall@k is the share of questions with a hit in the top k,
    mrr@10 is 1/rank, and ndcg@10 is 1/log2(1+rank) (Järvelin and Kekäläinen 2002; the ideal DCG is 1).

    >>> scores = rank_scores({"q": [False, True, True], "missed": []})
    >>> {key: round(value, 3) for key, value in scores["q"].items()}
    {'recall@1': 0.0, 'recall@5': 1.0, 'recall@10': 1.0, 'mrr@10': 0.5, 'ndcg@10': 0.631}
    >>> scores["missed"]["mrr@10"]
    0.0
    """
    scores = {question: dict.fromkeys(RANK_MEASURES, 0.0) for question in hits}
    keys = {measure: key for key, measure in RANK_MEASURES.items()}
    numbers = {str(number): question for number, question in enumerate(hits)}  # trec_eval's ids are C strings
    qrels = {number: {"gold": 1} for number in numbers}
    run = {number: _single_gold_run(hits[question]) for number, question in numbers.items()}
    for value in ir_measures.iter_calc(list(keys), qrels, run) if hits else ():
        scores[numbers[value.query_id]][keys[value.measure]] = float(value.value)
    return scores


def _single_gold_run(flags: Sequence[bool]) -> dict[str, float]:
    first = first_hit_rank(flags)
    # Scores only carry the order: trec_eval sorts by score and knows no ranks.
    return {"gold" if rank == first else f"rank{rank}": -float(rank) for rank in range(1, len(flags) + 1)}


# Answers ---------------------------------------------------------------------------------------------------


def strip_markers(answer: str, markers: Collection[int]) -> str:
    """Remove the citation markers `[n]` of an answer's own citations, with the blanks before them. Other
    bracketed numbers stay: they are part of the text.

    >>> strip_markers("It is so [1][2]. See [7].", {1, 2})
    'It is so. See [7].'
    """
    if not markers:
        return answer
    numbers = "|".join(str(marker) for marker in sorted(markers, reverse=True))
    return re.sub(rf"[ \t]*\[(?:{numbers})\]", "", answer)


def answer_contains_gold(answer: str, golds: Sequence[str]) -> float:
    """1.0 if some gold answer stands in the answer as a run of whole tokens (`phrase_tokens`), else 0.0.

    Whole tokens, because a plain substring finds "four" in "fourth" and "12" in "1912": on squad_dev that
    accepts 149 instead of 118 of 4,188 answers made of random wrong sentences, and borders at punctuation
    cost one of 4,188 right ones.

    >>> answer_contains_gold("Tesla was the fourth of five children.", ["four"])
    0.0
    >>> answer_contains_gold("它位于“萨克森花园”中。", ["萨克森 花园"])
    1.0
    """
    tokens = phrase_tokens(answer)
    return float(any(_contains(tokens, phrase_tokens(gold)) for gold in golds))


def exact_match(answer: str, golds: Sequence[str]) -> float:
    """1.0 if the normalised answer equals a normalised gold answer. Blanks beside Han characters do not
    count. Source: Rajpurkar et al. 2016 (SQuAD).

    >>> exact_match("The Amazon.", ["Amazonia", "amazon"]), exact_match("in the Amazon", ["Amazon"])
    (1.0, 0.0)
    """
    tokens = answer_tokens(answer)
    return float(any(tokens == answer_tokens(gold) for gold in golds if normalise_answer(gold)))


def token_f1(answer: str, golds: Sequence[str]) -> float:
    """Harmonic mean of precision and recall of tokens, the best over gold answers. Chinese by character.
    Source: Rajpurkar et al. 2016 (SQuAD); Cui et al. 2019 (CMRC 2018).

    >>> round(token_f1("the summer theatre in Warsaw", ["Summer Theatre"]), 3)
    0.667
    >>> round(token_f1("萨克森花园", ["萨克森"]), 3)
    0.75
    """
    tokens = Counter(answer_tokens(answer))
    return max((_f1(tokens, Counter(answer_tokens(gold))) for gold in golds), default=0.0)


@dataclass(frozen=True, slots=True)
class BleuCounts:
    """What one answer adds to corpus BLEU: matched and total n-grams for n = 1 to 4, lengths in tokens."""

    matched: tuple[int, ...]
    total: tuple[int, ...]
    answer_length: int
    gold_length: int  # of the gold answer nearest in length


def bleu_counts(answer: str, golds: Sequence[str]) -> BleuCounts:
    """N-gram counts of one answer by sacreBLEU, on normalised text; tokenizer `zh` where the answer or a
    gold answer holds Han characters, else `13a`.

    >>> bleu_counts("the cat sat", ["The cat sits."])
    BleuCounts(matched=(2, 1, 0, 0), total=(3, 2, 1, 0), answer_length=3, gold_length=3)
    """
    texts = [normalise(answer), *map(normalise, golds)]
    bleu = _bleu("zh" if any(map(HAN_CHARACTER.search, texts)) else "13a")
    score = bleu.corpus_score(texts[:1], [[gold] for gold in texts[1:]])
    return BleuCounts(tuple(score.counts), tuple(score.totals), score.sys_len, score.ref_len)


def corpus_bleu(counts: BleuCounts, order: int = BLEU_ORDER) -> float:
    """BLEU from summed counts: the geometric mean of the n-gram precisions for n up to `order`, times the
    brevity penalty; precisions of zero are smoothed exponentially, as sacreBLEU does. sacreBLEU prints 100
    times this. Source: Papineni et al. 2002; Post 2018.

    >>> both = bleu_counts("the cat sat on the mat", ["the cat sat on a mat"])
    >>> round(corpus_bleu(both, order=1), 4), round(corpus_bleu(both), 4)
    (0.8333, 0.5373)
    """
    score = BLEU.compute_bleu(
        list(counts.matched[:order]),
        list(counts.total[:order]),
        counts.answer_length,
        counts.gold_length,
        smooth_method="exp",
        max_ngram_order=order,
    )
    return float(score.score) / 100


def brevity_penalty(counts: BleuCounts) -> float:
    """exp(1 - gold length / answer length) for answers shorter than the gold ones, else 1. Source: Papineni
    et al. 2002.

    >>> round(brevity_penalty(bleu_counts("the cat", ["the cat sat"])), 4)
    0.6065
    """
    score = BLEU.compute_bleu([0], [0], counts.answer_length, counts.gold_length, max_ngram_order=1)
    return float(score.bp)


def rouge(answer: str, golds: Sequence[str]) -> dict[str, float]:
    """F-measures of ROUGE-1, -2 and -L by rouge-score on `words`, each the best over gold answers. Source:
    Lin 2004.

    >>> {key: round(value, 3) for key, value in rouge("the cat sat", ["the cat sat down"]).items()}
    {'rouge1': 0.857, 'rouge2': 0.8, 'rougeL': 0.857}
    >>> rouge("北京天安门", ["天安门"])["rouge1"] > 0.6
    True
    """
    if not golds:
        return dict.fromkeys(ROUGE_TYPES, 0.0)
    scores = _rouge_scorer().score_multi(list(golds), answer)
    return {key: float(scores[key].fmeasure) for key in ROUGE_TYPES}


def rouge_s(answer: str, golds: Sequence[str]) -> float:
    """F-measure of skip bigrams: pairs of words in their order with any gap, the best over gold answers.
    A gold answer of one word has no pair, so it gives 0. Source: Lin 2004, section 5 (ROUGE-S, beta 1).

    >>> round(rouge_s("police kill the gunman", ["police killed the gunman"]), 3)  # 3 of 6 pairs
    0.5
    """
    pairs = _skip_bigrams(words(answer))
    return max((_f1(pairs, _skip_bigrams(words(gold))) for gold in golds), default=0.0)


def meteor(answer: str, golds: Sequence[str], synonyms: Synonyms) -> float:
    """METEOR by NLTK on `words`: exact matches, then Porter stems, then synonyms where `synonyms` knows
    any; alpha 0.9, beta 3, gamma 0.5. Chinese words match exactly only. Source: Lavie and Agarwal
    2007.

    >>> from eval.wordnet import NO_SYNONYMS
    >>> round(meteor("the cats sat", ["the cat sat"], NO_SYNONYMS), 4)  # 3 matches, 1 chunk: 1 - 0.5/27
    0.9815
    """
    if not golds:
        return 0.0
    ours = words(answer)
    references = [words(gold) for gold in golds]
    return float(
        meteor_score(references, ours, stemmer=_CachedPorter(), wordnet=_StemmedSynonyms(synonyms, ours))
    )


def _contains(tokens: list[str], phrase: list[str]) -> bool:
    size = len(phrase)
    return size > 0 and any(tokens[at : at + size] == phrase for at in range(len(tokens) - size + 1))


def _f1(ours: Counter[_T], gold: Counter[_T]) -> float:
    common = (ours & gold).total()
    return 2 * common / (ours.total() + gold.total()) if common else 0.0


def _skip_bigrams(tokens: Sequence[str]) -> Counter[tuple[str, str]]:
    return Counter(combinations(tokens, 2))


@cache
def _bleu(tokenizer: str) -> BLEU:
    return BLEU(tokenize=tokenizer)


class _WordTokenizer:
    def tokenize(self, text: str) -> list[str]:
        return words(text)


@cache
def _rouge_scorer() -> RougeScorer:
    return RougeScorer(list(ROUGE_TYPES), tokenizer=_WordTokenizer())


class _CachedPorter:
    """NLTK's Porter stemmer, each word stemmed once: the same words come back in every answer."""

    def stem(self, word: str) -> str:
        return _porter_stem(word)


class _StemmedSynonyms:
    """Shows synonyms to NLTK as a WordNet of stems. NLTK's third stage compares what its second left over, and
    those are stems: it would look up "automobil" in a plain WordNet and find nothing."""

    def __init__(self, synonyms: Synonyms, answer: Sequence[str]) -> None:
        self._synonyms = synonyms
        self._originals: dict[str, set[str]] = {}
        for word in answer:
            self._originals.setdefault(_porter_stem(word), set()).add(word)

    def synsets(self, stem: str) -> list[_Synset]:
        originals = self._originals.get(stem, ())
        synonyms = {synonym for word in originals for synonym in self._synonyms.synonyms(word)}
        return [_Synset([_Lemma(_porter_stem(synonym)) for synonym in sorted(synonyms)])]


@dataclass(frozen=True, slots=True)
class _Lemma:
    stem: str

    def name(self) -> str:
        return self.stem


@dataclass(frozen=True, slots=True)
class _Synset:
    members: list[_Lemma]

    def lemmas(self) -> list[_Lemma]:
        return self.members


@cache
def _porter_stem(word: str) -> str:
    return str(_PORTER.stem(word))


_PORTER: Final = PorterStemmer()


# Abstention and time ---------------------------------------------------------------------------------------


def abstain_precision(abstained: Sequence[bool], answerable: Sequence[bool]) -> float | None:
    """Share of the abstentions that were right. None without an abstention, and where the set has only one
    class (the share is then 0 or 1 whatever the system does).

    >>> abstain_precision([True, True, False], [False, True, True])
    0.5
    """
    asked = [possible for said, possible in zip(abstained, answerable, strict=True) if said]
    return asked.count(False) / len(asked) if asked and len(set(answerable)) > 1 else None


def abstain_recall(abstained: Sequence[bool], answerable: Sequence[bool]) -> float | None:
    """Share of the unanswerable questions that were abstained from. None if the set has none.

    >>> abstain_recall([True, False, False], [False, False, True])
    0.5
    """
    said = [said for said, possible in zip(abstained, answerable, strict=True) if not possible]
    return said.count(True) / len(said) if said else None


def abstain_auroc(scores: Sequence[float], answerable: Sequence[bool]) -> float | None:
    """Probability that an unanswerable question has a higher abstention score than an answerable one, ties
    counting one half: the area under the ROC curve. None where the set has only one class. Source: Hanley
    and McNeil 1982 (Mann-Whitney U).

    >>> abstain_auroc([0.9, 0.4, 0.4, 0.1], [False, False, True, True])
    0.875
    """
    positives = Counter(s for s, possible in zip(scores, answerable, strict=True) if not possible)
    negatives = Counter(s for s, possible in zip(scores, answerable, strict=True) if possible)
    if not positives or not negatives:
        return None
    won, below = 0.0, 0
    for score in sorted(positives | negatives):
        won += positives[score] * (below + negatives[score] / 2)
        below += negatives[score]
    return won / (positives.total() * negatives.total())


def percentile(values: Sequence[float], share: float) -> float | None:
    """The `share` quantile (0 to 1) by linear interpolation between order statistics, as NumPy's default
    does; None without values.

    >>> percentile([40.0, 10.0, 20.0], 0.5), percentile([10.0, 20.0], 0.95)
    (20.0, 19.5)
    """
    if not values:
        return None
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)
