"""Each metric against a second, independent computation: by hand, from its definition, or by another library."""

from __future__ import annotations

import math
from collections import Counter
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer
from sacrebleu.metrics.bleu import BLEU

from app.trial.gold import is_hit, rank_values
from eval import metrics
from eval.metrics import BleuCounts
from eval.wordnet import NO_SYNONYMS

flags = st.lists(st.booleans(), max_size=15)


class TestHit:
    @pytest.mark.parametrize(
        ("chunk", "gold", "hit"),
        [
            ((0, 10), (0, 10), True),
            ((0, 1000), (400, 410), True),  # the chunk holds the passage
            ((400, 410), (0, 1000), True),  # the passage holds the chunk
            ((0, 100), (60, 140), True),  # 40 of 80: half of the shorter
            ((0, 100), (61, 141), False),
            ((0, 10), (10, 20), False),
            ((5, 5), (0, 10), False),  # an empty chunk covers nothing
        ],
    )
    def test_half_of_the_shorter(self, chunk: tuple[int, int], gold: tuple[int, int], hit: bool) -> None:
        assert is_hit(chunk, gold) is hit
        assert is_hit(gold, chunk) is hit


class TestRanking:
    @given(st.dictionaries(st.text(min_size=1), flags))
    def test_ir_measures_agrees_with_the_closed_forms(self, hits: dict[str, list[bool]]) -> None:
        scores = metrics.rank_scores(hits)
        assert scores.keys() == hits.keys()
        for question, row in hits.items():
            rank = row.index(True) + 1 if True in row else math.inf
            for k in (1, 5, 10):
                assert scores[question][f"recall@{k}"] == (rank <= k)
            assert scores[question]["mrr@10"] == pytest.approx(1 / rank if rank <= 10 else 0)
            expected = 1 / math.log2(1 + rank) if rank <= 10 else 0
            assert scores[question]["ndcg@10"] == pytest.approx(expected)
            assert rank_values(row) == pytest.approx((expected, float(rank <= 10)))

    def test_more_chunks_over_the_same_passage_find_nothing_new(self) -> None:
        scores = metrics.rank_scores({"one": [True, False, False], "three": [True, True, True]})
        assert scores["one"] == scores["three"]


class TestContainsGold:
    @pytest.mark.parametrize(
        ("answer", "golds", "expected"),
        [
            ("It was founded in 1912.", ["12"], 0.0),
            ("It was founded in 1912.", ["1905", "1912"], 1.0),
            ("John Myhill's definition", ["John Myhill"], 1.0),
            ("the 12-year-old", ["12"], 1.0),
            ("Ogród Saski", ["ogród saski."], 1.0),
            ("从１８７０年到1939年", ["1870 年"], 1.0),
            ("《茶经》是第一部茶书", ["茶经"], 1.0),
            ("13个月", ["3个月"], 0.0),
            ("", ["x"], 0.0),
            ("anything", ["the", "…"], 0.0),  # a gold answer of nothing is never contained
            ("anything", [], 0.0),
        ],
    )
    def test_whole_tokens(self, answer: str, golds: list[str], expected: float) -> None:
        assert metrics.answer_contains_gold(answer, golds) == expected


class TestSquadScores:
    def test_f1_by_hand(self) -> None:
        # ours: summer theatre in warsaw; gold: theatre warsaw poland → 2 common, p = 2/4, r = 2/3
        expected = 2 * (2 / 4) * (2 / 3) / (2 / 4 + 2 / 3)
        assert metrics.token_f1("the Summer Theatre in Warsaw", ["theatre, Warsaw, Poland"]) == pytest.approx(
            expected
        )

    def test_repeated_tokens_count_as_often_as_both_have_them(self) -> None:
        assert metrics.token_f1("ha ha ha", ["ha ha"]) == pytest.approx(2 * 2 / (3 + 2))

    def test_chinese_goes_by_character(self) -> None:
        assert metrics.token_f1("中国西南部", ["中国南部"]) == pytest.approx(8 / 9)
        assert metrics.exact_match("中国 西南部。", ["中国西南部"]) == 1.0

    def test_the_best_gold_answer_counts(self) -> None:
        assert metrics.token_f1("Danube", ["Rhine", "the Danube"]) == 1.0

    def test_an_abstention_scores_nothing(self) -> None:
        assert metrics.token_f1("", ["x"]) == 0.0
        assert metrics.exact_match("", ["the"]) == 0.0


def reference_bleu(pairs: list[tuple[str, str]], order: int) -> float:
    """BLEU from its definition (Papineni et al. 2002), one reference, no smoothing."""
    logs = []
    for n in range(1, order + 1):
        matched = total = 0
        for answer, gold in pairs:
            grams = [
                Counter(tuple(t[i : i + n]) for i in range(len(t) - n + 1))
                for t in (answer.split(), gold.split())
            ]
            matched += sum(min(count, grams[1][gram]) for gram, count in grams[0].items())
            total += sum(grams[0].values())
        logs.append(math.log(matched / total))
    ours = sum(len(answer.split()) for answer, _ in pairs)
    golds = sum(len(gold.split()) for _, gold in pairs)
    return min(1.0, math.exp(1 - golds / ours)) * math.exp(sum(logs) / order)


def add(counts: list[BleuCounts]) -> BleuCounts:
    return BleuCounts(
        tuple(map(sum, zip(*(c.matched for c in counts), strict=True))),
        tuple(map(sum, zip(*(c.total for c in counts), strict=True))),
        sum(c.answer_length for c in counts),
        sum(c.gold_length for c in counts),
    )


class TestBleu:
    pairs = (
        ("the danube flows through vienna to the sea", "the danube flows through vienna into the black sea"),
        ("paper was made in china", "paper was made in china by cai lun"),
    )

    @pytest.mark.parametrize("order", [1, 2, 3, 4])
    def test_summed_counts_give_the_definition(self, order: int) -> None:
        counts = add([metrics.bleu_counts(answer, [gold]) for answer, gold in self.pairs])
        assert metrics.corpus_bleu(counts, order) == pytest.approx(reference_bleu(list(self.pairs), order))
        assert metrics.brevity_penalty(counts) == pytest.approx(math.exp(1 - 17 / 13))

    def test_summed_counts_give_sacrebleus_corpus_score_with_several_references_and_smoothing(self) -> None:
        data = [("tea comes from china", ["tea is from china", "from china"]), ("a sea", ["the sea"])]
        golds: list[Any] = [
            ["tea is from china", "the sea"],
            ["from china", None],
        ]  # None: one reference less
        expected = BLEU(tokenize="13a").corpus_score([answer for answer, _ in data], golds).score / 100
        assert metrics.corpus_bleu(add([metrics.bleu_counts(*row) for row in data])) == pytest.approx(
            expected
        )

    def test_chinese_is_cut_into_characters(self) -> None:
        counts = metrics.bleu_counts("茶的原产地是中国。", ["茶的产地是中国"])
        assert (counts.answer_length, counts.gold_length, counts.matched[0]) == (8, 7, 7)

    def test_nothing_in_common_gives_zero(self) -> None:
        assert metrics.corpus_bleu(metrics.bleu_counts("", ["gold"])) == 0.0
        assert metrics.brevity_penalty(metrics.bleu_counts("", ["gold"])) == 0.0


class TestRouge:
    def test_english_equals_rouge_scores_own_tokenizer(self) -> None:
        answer, gold = "The cat sat on the mat, quietly.", "A cat was quietly on that mat"
        own = RougeScorer(["rouge1", "rouge2", "rougeL"]).score(gold, answer)
        assert metrics.rouge(answer, [gold]) == pytest.approx({k: v.fmeasure for k, v in own.items()})

    def test_chinese_by_hand(self) -> None:
        # words: 我 爱 北京 天安门 against 我 爱 天安门
        scores = metrics.rouge("我爱北京天安门", ["我爱天安门"])
        assert scores["rouge1"] == pytest.approx(6 / 7)
        assert scores["rouge2"] == pytest.approx(2 / 5)  # 我爱 of 3 and 2 bigrams
        assert scores["rougeL"] == pytest.approx(6 / 7)

    def test_without_answer_or_gold(self) -> None:
        assert set(metrics.rouge("", ["x"]).values()) == set(metrics.rouge("x", []).values()) == {0.0}

    @pytest.mark.parametrize(
        ("candidate", "pairs"),
        [
            # Lin 2004, section 5: against "police killed the gunman" (6 skip bigrams)
            ("police kill the gunman", 3),
            ("the gunman kill police", 1),
            ("the gunman police killed", 2),
        ],
    )
    def test_skip_bigrams_of_lins_paper(self, candidate: str, pairs: int) -> None:
        assert metrics.rouge_s(candidate, ["police killed the gunman"]) == pytest.approx(pairs / 6)

    def test_a_gold_answer_of_one_word_has_no_skip_bigram(self) -> None:
        assert metrics.rouge_s("Danube", ["Danube"]) == 0.0


class FewSynonyms:
    name = "car and automobile"

    def synonyms(self, word: str) -> frozenset[str]:
        return frozenset({"car", "automobile"}) if word in {"cars", "car", "automobile"} else frozenset()


class TestMeteor:
    def test_formula_by_hand(self) -> None:
        # 3 matches (the sea flows); p = 3/4, r = 3/5; the matches lie in 2 chunks
        precision, recall = 3 / 4, 3 / 5
        mean = precision * recall / (0.9 * precision + 0.1 * recall)
        expected = mean * (1 - 0.5 * (2 / 3) ** 3)
        score = metrics.meteor("the sea quickly flows", ["the sea then slowly flows"], NO_SYNONYMS)
        assert score == pytest.approx(expected)

    def test_stems_match(self) -> None:
        assert metrics.meteor("flowing rivers", ["flows river"], NO_SYNONYMS) > 0.9

    def test_synonyms_match_where_a_wordnet_is_there(self) -> None:
        # two matches in one chunk; without synonyms one match of two words
        assert metrics.meteor("one automobile", ["one car"], FewSynonyms()) == pytest.approx(1 - 0.5 / 8)
        assert metrics.meteor("one automobile", ["one car"], NO_SYNONYMS) == pytest.approx(0.5 * 0.5)
        # p = 2/4, r = 1, two matches in two chunks; "cars" reaches the stem stage as "car"
        score = metrics.meteor("one of two cars", ["one automobile"], FewSynonyms())
        assert score == pytest.approx((0.5 / (0.9 * 0.5 + 0.1)) * 0.5)

    def test_chinese_words_match_exactly(self) -> None:
        # four words, all matched, one chunk
        score = metrics.meteor("我爱北京天安门", ["我爱北京天安门。"], NO_SYNONYMS)
        assert score == pytest.approx(1 - 0.5 / 64)

    def test_nothing_to_compare(self) -> None:
        assert metrics.meteor("", ["x"], NO_SYNONYMS) == metrics.meteor("x", [], NO_SYNONYMS) == 0.0


class TestMarkers:
    def test_only_the_answers_own_citations_go(self) -> None:
        assert metrics.strip_markers("甲是乙[1]。 丙 [12] 丁[2]。", {1, 12}) == "甲是乙。 丙 丁[2]。"
        assert metrics.strip_markers("See [1].", set()) == "See [1]."


class TestAbstention:
    @given(st.lists(st.tuples(st.sampled_from([0.0, 0.2, 0.5, 0.9]), st.booleans()), min_size=1))
    def test_auroc_is_the_share_of_pairs_in_the_right_order(self, data: list[tuple[float, bool]]) -> None:
        scores, answerable = [s for s, _ in data], [a for _, a in data]
        value = metrics.abstain_auroc(scores, answerable)
        if len(set(answerable)) == 1:
            assert value is None
            return
        pairs = list(product(*([s for s, a in data if a is kind] for kind in (False, True))))
        expected = sum((no > yes) + (no == yes) / 2 for no, yes in pairs) / len(pairs)
        assert value == pytest.approx(expected)

    def test_precision_and_recall_by_hand(self) -> None:
        abstained = [True, True, True, False, False]
        answerable = [False, False, True, False, True]
        assert metrics.abstain_precision(abstained, answerable) == pytest.approx(2 / 3)
        assert metrics.abstain_recall(abstained, answerable) == pytest.approx(2 / 3)

    def test_undefined_without_both_classes(self) -> None:
        assert metrics.abstain_precision([True, False], [True, True]) is None
        assert metrics.abstain_precision([False, False], [True, False]) is None
        assert metrics.abstain_recall([True], [True]) is None
        assert metrics.abstain_recall([True], [False]) == 1.0  # every answer withheld: still a question


@given(st.lists(st.floats(0, 1e6), min_size=1), st.floats(0, 1))
def test_percentile_is_numpys(values: list[float], share: float) -> None:
    assert metrics.percentile(values, share) == pytest.approx(np.quantile(values, share), rel=1e-9, abs=1e-6)
