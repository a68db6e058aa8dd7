"""Acronyms of questions, the list of long forms, and what texts explain themselves."""

from __future__ import annotations

from importlib.resources import files

import pytest

from app.question.acronyms import (
    find_acronyms,
    find_by_initials,
    find_listed_forms,
    holds_phrase,
    initials,
    initials_pattern,
    listed_forms,
    long_forms,
)


@pytest.mark.parametrize(
    ("question", "acronyms"),
    [
        ("What is our RTO?", ["RTO"]),
        ("who is the ceo", ["ceo"]),
        ("CEO是谁？", ["CEO"]),
        ("Are KPIs and the R&D budget set?", ["KPI", "R&D"]),
        ("Is 2FA mandatory?", ["2FA"]),
        ("E-107 on GW-7 with X-RTO-Header at 5 pm, is it so?", []),
        ("WHAT IS THE RTO AND WHERE", ["RTO"]),
        ("the IT team aims at us", ["IT"]),
        ("OIDC or ABCDEFG", ["OIDC"]),
    ],
)
def test_acronyms_of_a_question(question: str, acronyms: list[str]) -> None:
    """F-772."""
    assert find_acronyms(question) == acronyms


def test_the_list_has_no_doubles_and_no_empty_form() -> None:
    lines = (files("app.question") / "acronyms.tsv").read_text("utf-8").splitlines()
    rows = [line.split("\t") for line in lines if line and not line.startswith("#")]
    assert all(len(row) == 2 for row in rows)
    names = [row[0].lstrip("!") for row in rows]
    assert len(names) == len(set(names)) > 200
    assert names == sorted(names)
    for _, forms in rows:
        some = forms.split("|")
        assert len(set(some)) == len(some)
        assert all(form == form.strip() and len(form) > 1 for form in some)


def test_forms_of_the_list_in_both_languages() -> None:
    assert {"chief executive officer", "首席执行官"} <= set(listed_forms("ceo"))
    assert {"chief financial officer", "财务总监"} <= set(listed_forms("CFO"))
    assert listed_forms("QQQ") == ()


def test_long_forms_of_the_list_that_a_question_has() -> None:
    assert ("RTO", "recovery time objective") in find_listed_forms("our Recovery-Time Objective")
    assert ("CEO", "首席执行官") in find_listed_forms("首席執行官是谁")
    assert find_listed_forms("What time is the recovery, and its objective?") == []
    assert find_listed_forms("Is there time?") == []  # "just in time" has one term


@pytest.mark.parametrize(
    ("text", "forms"),
    [
        ("The recovery time objective (RTO) is eight hours.", {"RTO": "recovery time objective"}),
        ("RTO (recovery time objective): eight hours", {"RTO": "recovery time objective"}),
        ("The data protection officer (“DPO”) decides.", {"DPO": "data protection officer"}),
        ("Ask the Data Protection Officer (DPO, see below).", {"DPO": "Data Protection Officer"}),
        ("Two terms of service (ToS) apply.", {"ToS": "terms of service"}),
        ("邮箱和VPN必须开启双因素认证（2FA）。", {"2FA": "双因素认证"}),
        ("SSO（单点登录）已启用", {"SSO": "单点登录"}),
        ("根据《员工考勤管理办法》（以下简称“办法”）", {"办法": "员工考勤管理办法"}),
        ("《資訊安全政策》（以下簡稱「政策」）", {"政策": "資訊安全政策"}),
        (
            "北风科技有限公司（以下简称“北风”或“公司”）",
            {"北风": "北风科技有限公司", "公司": "北风科技有限公司"},
        ),
        ("恢复时间目标，简称RTO。", {"RTO": "恢复时间目标"}),
        ('Northwind Logistics GmbH (hereinafter "Northwind")', {"Northwind": "Northwind Logistics GmbH"}),
        ('Lark Instruments Ltd. (the "Supplier")', {"Supplier": "Lark Instruments Ltd."}),
        ("家庭的频道（HBO）和HBO（频道），Paris（巴黎市）", {}),
        ("see the table (ABC) and file names (URL)", {}),
        ("Berlin (BER) is nice (Really)", {}),
        ("() （） (A) 中（）", {}),
    ],
)
def test_what_a_text_explains(text: str, forms: dict[str, str]) -> None:
    """F-772."""
    assert long_forms(text) == forms


def test_a_hostile_text_takes_no_time() -> None:
    for text in (
        "(" * 30_000,
        "A (" * 10_000,
        "以下简称" * 8_000,
        "A, 简称" * 5_000,
        "\"'" * 12_000 + "(AB)",
    ):
        assert isinstance(long_forms(text), dict)


def test_phrases() -> None:
    assert holds_phrase("Enable Single-Sign-On now", "single sign-on")
    assert holds_phrase("設有首席執行官一名", "首席执行官")
    assert not holds_phrase("the officer is a chief executive", "chief executive officer")


def test_initials_of_headings() -> None:
    assert initials(["Target", "operating", "model"]) == "TOM"
    assert find_by_initials("TOM", "3. Target Operating Model (draft)") == "Target Operating Model"
    assert find_by_initials("tos", "Terms of Service") == "Terms of Service"
    assert find_by_initials("PO", "Payroll Office hours") is None  # two letters: the whole line or nothing
    assert find_by_initials("PO", "Payroll Office") == "Payroll Office"
    assert find_by_initials("RMA", "How returns may arrive") is None
    assert initials_pattern("TOM").startswith(r"\mT")
