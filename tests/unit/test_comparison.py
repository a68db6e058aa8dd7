"""Two spaces on the same questions: what counts as a difference, and what is said of it."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from app.trial.comparison import FEWEST, Found, Verdict, describe_row, in_words, judge, overall
from app.trial.gold import Case, Gold
from app.trial.made_questions import withhold
from app.trial.significance import adjusted_for_several


def found(group: str, values: Sequence[tuple[float, float]]) -> list[Found]:
    case = Case(group, "Why?", Gold(("a.md",), None))
    return [Found(case, one, (float(one[0] > 0), float(one[1] > 0)), (900.0, 1000.0)) for one in values]


BETTER = found("made:zh", [(0.4, 0.9)] * 30)
WORSE = found("made:en", [(0.9, 0.4)] * 30)
SAME = found("kept", [(0.5, 0.6), (0.6, 0.5)] * 15)
FEW = found("kept", [(0.0, 1.0)] * (FEWEST - 1))


@pytest.mark.parametrize(
    ("given", "verdict"),
    [
        ({"a": SAME}, "same"),
        ({"a": BETTER}, "better"),
        ({"a": [*BETTER, *SAME]}, "better"),
        ({"a": [*BETTER, *WORSE]}, "worse"),
        ({"a": BETTER, "b": WORSE}, "worse"),
        ({"a": FEW}, "none"),
        ({"a": [*FEW, *found("titles.jsonl", [(0.5, 0.6), (0.6, 0.5)] * 15)]}, "same"),
        ({"a": []}, "none"),
    ],
)
def test_worse_anywhere_is_worse(given: dict[str, list[Found]], verdict: Verdict) -> None:
    assert overall(judge(given)) == verdict


def test_each_group_of_each_collection_is_a_row_with_its_figures() -> None:
    rows = judge({"a": [*WORSE, *FEW], "b": BETTER})
    assert [(row.collection, row.name, row.verdict) for row in rows] == [
        ("a", "made from English texts", "worse"),
        ("a", "kept questions", "none"),
        ("b", "made from Chinese texts", "better"),
    ]
    described = describe_row(rows[0])
    assert described["ndcg@10"]["difference"] == pytest.approx(-0.5)
    assert described["recall@10"] == {
        "serving": 1.0,
        "second": 1.0,
        "difference": 0.0,
        "low": 0.0,
        "high": 0.0,
    }
    assert described["mean_passage_chars"] == {"serving": 900, "second": 1000}
    assert describe_row(rows[1])["p"] is None


def test_the_more_groups_are_tested_the_more_it_takes() -> None:
    rng = random.Random(3)
    doubtful = found("made:en", [(0.5, 0.5 + rng.uniform(-0.5, 0.62)) for _ in range(60)])
    (alone,) = judge({"a": doubtful})
    among = judge({"a": doubtful} | {f"b{number}": SAME for number in range(9)})[0]
    assert among.ndcg == alone.ndcg
    assert alone.p is not None
    assert among.p == pytest.approx(min(1.0, 10 * alone.p), abs=1e-9)


@pytest.mark.long
def test_a_false_alarm_is_as_rare_as_it_says() -> None:
    """Two hundred comparisons of five groups without a difference: at most one in twenty may be told as one."""
    rng = random.Random(5)
    alarms = 0
    for _ in range(200):
        given = {
            str(number): found("kept", [(rng.random(), rng.random()) for _ in range(20)])
            for number in range(5)
        }
        alarms += overall(judge(given)) != "same"
    assert alarms <= 20  # 10 are expected; 20 or more have a chance of 1 in 400


def test_it_is_said_in_one_sentence() -> None:
    assert in_words(judge({"a": [*BETTER, *WORSE]}), "old", "new") == (
        "new is worse than old: made from English texts (-0.500 nDCG@10, p 0.0002); it is better elsewhere: "
        "made from Chinese texts (+0.500 nDCG@10, p 0.0002)."
    )
    two = judge({"a": BETTER, "b": BETTER})
    assert in_words(two, "old", "new").startswith(
        "new is better than old: made from Chinese texts of a (+0.500"
    )
    assert in_words(judge({"a": SAME}), "old", "new") == (
        "There is no difference between new and old that is more than chance."
    )
    assert in_words(judge({"a": FEW}), "old", "new") == "There are too few questions to tell new from old."


def test_adjusted_p_values_never_fall_and_stay_below_one() -> None:
    assert adjusted_for_several([]) == []
    assert adjusted_for_several([0.2]) == [0.2]
    assert adjusted_for_several([0.04, 0.03, 0.9, 0.01]) == pytest.approx([0.09, 0.09, 0.9, 0.04])


@pytest.mark.parametrize(
    ("sentence", "frequencies", "step", "kept"),
    [
        # the rarest goes, the next stays, and so on; what says nothing stays
        ("The lists of an ivfflat index have probes.", {"list": 9, "ivfflat": 1, "index": 8, "probe": 3}, 2,
         ("The lists of an have probes.", 2)),
        ("The lists of an ivfflat index have probes.", {"list": 9, "ivfflat": 1, "index": 8, "probe": 3}, 3,
         ("The of an index have", 1)),
        ("文档分块的大小是五百个词元。", {}, 2, ("分块的是五百个。", 2)),
        ("Heron, heron and crane: a heron.", {"heron": 1, "crane": 5}, 2, ("and crane: a", 1)),  # wherever it stands
        ("Only of the and.", {}, 2, ("Only of the and.", 0)),
    ],
)  # fmt: skip
def test_of_what_says_something_every_second_or_third_word_stays(
    sentence: str, frequencies: dict[str, int], step: int, kept: tuple[str, int]
) -> None:
    assert withhold(sentence, frequencies, step) == kept
