"""What counts as said otherwise: numbers, units, dates, negations and subjects, English and Chinese (F-607)."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.generation.amounts import read_amounts
from app.generation.support import contradiction
from tests.growth import count_calls

SAME = [
    ("The contract runs for 24 months.", "The contract runs for two years."),
    ("It has 1,000 rows.", "It has 1000 rows."),
    ("There are twelve lists.", "There are 12 lists."),
    ("About 2.7 million people live there.", "2,700,123 people live there."),
    ("It costs $5.", "It costs 5 dollars."),
    ("It is 5 km away.", "It is 3.1 miles away."),
    ("30 % of users left.", "Thirty percent of users left."),
    ("It opens on 4 March.", "It opens on March 4th, 2026."),
    ("It opens on 2026-03-04.", "It opens on 4 March 2026."),
    ("It opens on 2026年3月4日.", "It opens on 03/04/2026."),
    ("It opens at 5:30 pm.", "It opens at 17:30."),
    ("It was built in the 19th century.", "It was built in the nineteenth century."),
    ("It wasn't built before 1900.", "It was not built before 1900."),
    ("Smoking is not only bad but dear.", "Smoking is bad and dear."),
    ("Lists speed up search.", "Lists speed up search but do not change recall."),  # leaves out
    ("Users can't export drafts.", "Users cannot export drafts."),
    ("Drafts are never exported.", "Drafts are not exported."),
    ("The EU has 27 members.", "The European Union has 27 members."),
    ("It has two modes: fast and exact.", "Its modes are fast and exact."),
    ("有三种模式：单人、对战和练习。", "模式为单人、对战、练习。"),
    ("合同期限为24个月。", "合同期限为两年。"),
    ("共有120000人。", "共有12万人。"),
    ("費率為萬分之五。", "费率为0.05%。"),
    ("占百分之三十五。", "占35%。"),
    ("会议在3月4日举行。", "会议于2026年三月四日举行。"),
    ("會議在2026-03-04舉行。", "会议于2026年3月4日举行。"),
    ("公司成立于一九九八年。", "公司成立于1998年。"),
    ("試用期員工不享受年假。", "试用期员工没有年假。"),
    ("禁止吸烟。", "不得吸烟。"),
    ("不得不加班。", "不得不加班。"),
    ("他在上海工作。", "他在上海工作，没有去过北京。"),
]
OTHER = [
    ("The contract runs for 12 months.", "The contract runs for two years.", "number"),
    ("The contract runs for 24 weeks.", "The contract runs for 24 months.", "unit"),
    ("It weighs 5 kg.", "It weighs 5 g.", "unit"),
    ("It costs 5 EUR.", "It costs 5 USD.", "unit"),
    ("3 million people live there.", "3 billion people live there.", "number"),
    ("It opens on 5 March.", "It opens on 4 March 2026.", "date"),
    ("It opens on 4 May 2026.", "It opens on 4 March 2026.", "date"),
    ("It opened in 1999.", "It opened in 1998.", "date"),
    ("It was built in the 18th century.", "It was built in the 19th century.", "number"),
    ("Quolls do not migrate.", "Quolls migrate in spring.", "negation"),
    ("Quolls migrate in spring.", "Quolls never migrate in spring.", "negation"),
    ("Quolls migrate without food.", "Quolls migrate with food.", "negation"),
    ("Drafts can be exported.", "Drafts can't be exported.", "negation"),
    ("The GW-5 has LTE.", "The GW-7 has LTE.", "subject"),
    ("Edison invented the induction motor here.", "Tesla invented the induction motor here.", "subject"),
    ("In 1900 the city of Lyon grew fast.", "In 1900 the city of Paris grew fast.", "subject"),
    ("Berlin lies 523 km east of Berlin.", "Warsaw lies 523 km east of Berlin.", "subject"),
    ("有四种模式：单人、对战和练习。", "模式为单人、对战、练习。", "number"),
    ("合同期限为三年。", "合同期限为两年。", "number"),
    ("保固三個月。", "保修三年。", "unit"),
    ("共有12亿人。", "共有12万人。", "number"),
    ("费率为千分之五。", "费率为万分之五。", "number"),
    ("会议在3月5日举行。", "会议于2026年3月4日举行。", "date"),
    ("试用期员工享受年假。", "试用期员工不享受年假。", "negation"),
    ("試用期員工不享受年假。", "试用期员工享受年假。", "negation"),
    ("室内允许吸烟。", "室内禁止吸烟。", "negation"),
    ("密码长度可以少于12位。", "密码长度不得少于12位。", "negation"),
    ("李明哲负责客户回访。", "孙若琳负责客户回访。", "subject"),
]


@pytest.mark.parametrize(("claim", "evidence"), SAME)
def test_the_same_in_another_form_is_no_contradiction(claim: str, evidence: str) -> None:
    assert contradiction(claim, evidence) is None


@pytest.mark.parametrize(("claim", "evidence", "reason"), OTHER)
def test_what_is_said_otherwise_is_named(claim: str, evidence: str, reason: str) -> None:
    assert contradiction(claim, evidence) == reason


def test_a_subject_may_stand_in_the_title_or_before_a_pronoun() -> None:
    claim = "The Kaltmann LX-300 weighs 4 kg."
    assert contradiction(claim, "It weighs 4 kg.") == "subject"
    assert contradiction(claim, "It weighs 4 kg.", around="Kaltmann LX-300 manual\nWeight") is None
    assert contradiction(claim, "It weighs 4 kg.", before="The LX-300 is from Kaltmann.") is None


def test_a_year_may_stand_in_the_heading() -> None:
    assert (
        contradiction("From 1 May 2026 it is 18 EUR.", "From 1 May it is 18 EUR.", around="Rules 2026")
        is None
    )
    assert (
        contradiction("From 1 May 2026 it is 18 EUR.", "From 1 May it is 18 EUR.", around="Rules 2024")
        == "date"
    )


def test_a_number_of_a_list_or_a_code_is_no_amount() -> None:
    assert contradiction("In section 2 it is 1 days.", "1. In section 2 it is 90 days.") == "number"
    amounts, dates = read_amounts("LX-200, v2.4.1, E-107, C-2024-017, GPT-4o")
    assert (amounts, dates) == ([], [])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("4–7 March 1999", [(1999, 3, 4), (1999, 3, 7)]),
        ("March 4 and 5", [(None, 3, 4), (None, 3, 5)]),
        ("between September and November 1946", [(None, 9, None), (1946, 11, None)]),
        ("03/04/2026", [(2026, 3, 4), (2026, 4, 3)]),
        ("二〇〇八年八月八日", [(2008, 8, 8)]),
        ("公元前221年", [(-221, None, None)]),
        ("221 BC", [(-221, None, None)]),
        ("落成,2002-12-28全线铺通", [(2002, 12, 28)]),
        ("you may march 3 miles", []),
    ],
)
def test_dates_are_read_in_their_usual_forms(
    text: str, expected: list[tuple[int | None, int | None, int | None]]
) -> None:
    _, dates = read_amounts(text)
    assert sorted(((d.year, d.month, d.day) for r in dates for d in r), key=repr) == sorted(
        expected, key=repr
    )


_texts = st.lists(
    st.sampled_from(
        [
            "not ",
            "Tesla ",
            "4 March ",
            "2026-03-04",
            "12万",
            "三分之",
            "分之五",
            "不",
            "没有",
            "年假",
            " 5 kg",
            "第",
            "0%",
            "零分之三",
            "年",
            "月",
            "日",
            "1,000",
            "one hundred ",
            "-",
            ".",
            "，",
            "\n",
            "13月40日",
            "99/99/2026",
            "上海",
            "🙂",
        ]
    ),
    max_size=15,
).map("".join)


@settings(max_examples=300, deadline=None)
@given(_texts, _texts)
def test_any_text_can_be_read_and_nothing_contradicts_itself(claim: str, evidence: str) -> None:
    contradiction(claim, evidence, evidence, claim)
    assert contradiction(claim, claim) is None


@pytest.mark.parametrize(
    "pattern", ["1", "1 ", "一", "not ", "不", "a b ", "Tesla Edison ", "1-", "3月", "one hundred "]
)
def test_hostile_text_takes_a_bounded_number_of_steps(pattern: str) -> None:
    """Each number is compared with each, so what is read of a claim is bounded (citations.MAX_READ_CHARS)."""
    text = pattern * (1_000 // len(pattern))
    assert count_calls(lambda: contradiction(text, text[::-1])) < 400_000
