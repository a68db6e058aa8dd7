"""Which of several documents is in force."""

from __future__ import annotations

import pytest

from app.generation.standing import are_versions, order_standings, read_moments, read_standing

# Title, file (its title's where none is given) and first lines; a blank part stands for nothing.
NOT_IN_FORCE = r"""
Travel rules | travel.md | > This document is superseded by "Travel" of 2026.
差旅制度（已废止） | a.md | 旧的内容
差旅制度 | a.md | 本制度已于2026年3月1日废止，仅供查阅。
DRAFT: Canteen rules | draft-canteen.md | Not approved.
用車規定 | 車.md | 本規定尚未批准
Old prices | obsolete/prices (superseded).csv |
[DRAFT] Travel policy | |
Travel policy (superseded by Travel 2026) | |
Travel policy (draft v2) | |
Travel policy (2023, no longer valid) | |
Travel policy - Draft | |
Obsolete: spare parts prices | |
OBSOLETE Spare parts prices | |
Travel policy | travel_policy_OLD.docx |
Travel policy | travel-policy-old-v3.docx |
Travel policy | OLD_travel_policy.docx |
Travel policy | travel policy draft 2.docx |
Travel policy | travel-policy.EXPIRED.pdf |
Travel policy | 2023/archive/travel.md |
Travel policy | hr/Old versions/travel.md |
Travel policy | hr/_superseded/travel.md |
Travel policy | drafts/travel.md |
差旅制度（作废） | |
差旅制度【草案】 | |
差旅制度(2023年版，已失效) | |
差旅制度-旧版 | |
差旅制度_作废_2023 | |
差旅制度已废止 | |
差旅制度征求意见稿 | |
作废-差旅制度 | |
差旅制度（已被2026年版取代） | |
差旅制度 | 人事/归档/差旅.docx |
差旅制度 | 历史版本/差旅.docx |
差旅制度 | 差旅制度 OLD.docx |
差旅制度 | 草稿/差旅.docx |
用車規定（廢止） | |
用車規定－舊版 | |
【草案】用車規定 | |
用車規定（試行稿，已停用） | |
Travel policy | a.md | Status: superseded
Travel policy | a.md | **Status:** Draft
Travel policy | a.md | - Document status: not yet approved
Travel policy | a.md | # Travel policy\n\n## Status\n\nSuperseded by rule 12.
Travel policy | a.md | # Travel policy [DRAFT]\n\nFly economy.
Travel policy | a.md | This policy was replaced by "Travel and expenses".
Travel policy | a.md | These rules have since been withdrawn.
Travel policy | a.md | This price list is no longer valid.
Travel policy | a.md | This policy of 2023 is now obsolete; see the intranet.
Travel policy | a.md | You read an old copy: this is an outdated version of the policy.
Travel policy | a.md | OBSOLETE – do not use.
Travel policy | a.md | Withdrawn on 3 March 2025.
Travel policy | a.md | This is only a first draft.
Travel policy | a.md | This proposal is not yet approved.
Travel policy | a.md | Draft for discussion
差旅制度 | a.md | 状态：已废止
差旅制度 | a.md | 文件状态：草案
差旅制度 | a.md | 本制度自2020年1月1日起施行，已于2026年3月1日废止。
差旅制度 | a.md | 本制度已被《差旅与报销制度》取代。
差旅制度 | a.md | 本办法现由2026年版代替。
差旅制度 | a.md | 注意：本文件自2026年3月1日起停止执行，请以新版为准。
差旅制度 | a.md | 已作废，请勿使用
差旅制度 | a.md | 本文件为征求意见稿，请于周五前反馈。
差旅制度 | a.md | 本制度尚未批准。
用車規定 | a.md | 本規定已失效。
用車規定 | a.md | 本辦法（2023年版）自2026年1月1日起廢止。
用車規定 | a.md | 狀態：已停用
用車規定 | a.md | 未經批准
用車規定 | a.md | 本規章自民國115年起廢止。
差旅制度 | a.md | 【本制度已废止】
Cancelled: travel policy | |
Travel policy (Rev. 2, cancelled) | |
Handbook | a.md | This policy ceased to apply on 1 May 2024.
Handbook | a.md | This policy was in force until 31 December 2024.
Handbook | a.md | !!! OLD VERSION !!!
【历史文件】差旅制度 | |
差旅制度（老版） | |
差旅制度 | 旧差旅制度（勿用）.docx |
差旅制度 | a.md | 此文件为历史版本，仅供参考。
差旅制度 | a.md | 自2026年1月1日起本规定废止。
差旅制度 | a.md | 特别提示：本办法已失效。
差旅制度 | a.md | 本制度尚未发布。
差旅制度 | a.md | 本版为旧版，请使用2026年版。
Security policy | a.md | \| Status \| Obsolete \|
"""
IN_FORCE = r"""
Travel and expenses | | Valid from 1 February 2026. It replaces the travel rules of 2024.
差旅与报销制度 | | 自2026年3月1日起施行，2023年版同时废止。
Deprecation of drafts in our editor | | How drafts are kept.
Travel policy | | This policy replaces the 2024 version.
Travel policy | | This policy supersedes all earlier rules.
Travel policy | | The former policy is withdrawn.
Travel policy | | This policy is valid; the old one has been superseded.
Travel policy | | This document is not obsolete.
Travel policy | | Status: approved (replaces the draft of 2025)
Travel policy | | This page is about obsolete parts.
Travel policy | | Expenses that are not approved are not paid.
Travel policy | | This voucher is void if it is altered. This contract is void without a signature.
Travel policy | | - Draft: being written\n- Superseded: replaced by a later one
Offer | | This offer is valid until 30 June 2027.
Travel policy | | With this policy the policy of 2024 is withdrawn.
Travel policy | | Earlier versions of this document are obsolete.
Parts | | Obsolete parts are listed here.
Parts | | | Status | Part |\n|---|---|\n| obsolete | P-1 |\n| superseded | P-2 |
Parts | | - Status: obsolete \\| Part: P-1
Projects | | # Projects\n\n## Sun roof\n\nStatus: draft
Archive policy | |
Archived records retention | |
Archive: storage and retention | |
Draft beer menu | draft-beer-menu.md |
Drafting guidelines | |
How to save a draft | |
Old Town office | old-town-office.md | The Old Town office opens at nine.
Old and new prices | |
Prices (old and new) | |
The house is ten years old | |
Expired goods | expired-goods.md | Expired goods are thrown away.
Void detection (X-ray) | |
Withdrawn products | | Withdrawn products are sent back.
Replaced parts | | Replaced parts are sent back.
Handling of withdrawals | drafts-and-offers/withdrawals.md |
差旅制度 | | 本制度自2026年3月1日起施行，取代2024年版。
差旅制度 | | 本规定自发布之日起施行，原规定废止。
差旅制度 | | 本办法自2026年1月1日起执行，旧制度失效。
差旅制度 | | 本办法自2026年1月1日起执行，同时废止2024年版。
差旅制度 | | 本制度自公布之日起生效。2024年版自同日起废止。
差旅制度 | | 未经批准，不得出差。
差旅制度 | | 本制度未经批准不得修改，由财务部负责解释。
供货合同 | | 逾期未付的，本合同自动失效。
通行证 | | 已过期的证件应立即交回。
作废发票处理办法 | | 作废发票应保留三年。
失效分析报告 | | 失效分析由质量部负责。
过期药品管理 | | 过期药品单独存放。
停用账号清单 | | 停用账号每月清理一次。
草稿箱使用说明 | | 草稿自动保存。
旧城办事处 | | 旧城办事处九点开门。
废止程序 | | 制度的废止由总经理批准。
账号已停用怎么办 | |
合同作废流程 | 合同作废流程.docx | 合同作废须由双方签字。
版本说明 | | 升级后旧版本不再收到更新。
用車規定 | | 本規定自2026年3月1日起施行，原規定同時廢止。
用車規定 | | 本辦法取代2024年版，舊版失效。
廢棄物管理 | | 廢止的文件須銷毀。
過期食品處理 | | 過期食品不得出售。
"""


def rows(table: str) -> list[tuple[str, str, str]]:
    """Title, file and first lines of each line of a table."""
    found = []
    for line in table.strip().splitlines():
        title, file, head = (part.strip() for part in line.split(" |", 2))
        found.append((title, file or f"{title}.md", head.replace(r"\n", "\n").replace(r"\|", "|")))
    return found


@pytest.mark.parametrize(("title", "source", "head"), rows(NOT_IN_FORCE))
def test_documents_that_say_that_they_are_not_in_force(title: str, source: str, head: str) -> None:
    """F-751."""
    assert not read_standing(title, source, head).is_in_force


@pytest.mark.parametrize(("title", "source", "head"), rows(IN_FORCE))
def test_documents_about_old_things_and_those_that_replace_others_are_in_force(
    title: str, source: str, head: str
) -> None:
    """F-751: the words stood for the document wherever they stood."""
    assert read_standing(title, source, head).is_in_force


def test_of_one_name_the_latest_is_in_force_unless_another_year_is_asked_for() -> None:
    standings = {
        year: read_standing(f"Prices {year}", f"lists/prices-{year}.csv", "")
        for year in ("2024", "2025", "2026")
    }
    assert order_standings(standings) == {"2024": 1, "2025": 1, "2026": 0}
    assert order_standings(standings, [(0, 2025)]) == {"2024": 1, "2025": 0, "2026": 1}


def test_versions_are_a_family_and_product_numbers_are_not() -> None:
    releases = {v: read_standing(f"Desk {v}", f"releases/{v}.md", "") for v in ("2.3.0", "2.10.0")}
    assert order_standings(releases) == {"2.3.0": 1, "2.10.0": 0}
    asked = read_moments("What is new in 2.3.0?")
    assert order_standings(releases, asked) == {"2.3.0": 0, "2.10.0": 1}
    rules = {"rules": read_standing("Rules", "rules.md", "Valid from 1 March 2026.")}
    assert order_standings(releases | rules, asked) == {"2.3.0": 0, "2.10.0": 1, "rules": 0}
    manuals = {n: read_standing(f"LX-{n} manual", f"lx-{n}-manual.md", "") for n in ("200", "300")}
    assert set(order_standings(manuals).values()) == {0}


def test_an_amendment_comes_before_what_it_changes() -> None:
    standings = {
        "old": read_standing("Agreement", "msa.md", "Contract number C-2024-017."),
        "new": read_standing("Amendment 1", "amendment-1.md", "Changes contract C-2024-017."),
    }
    assert order_standings(standings) == {"old": 1, "new": 0}


def order(*documents: tuple[str, str, str], years: tuple[str, ...] = ()) -> list[int]:
    """The order of documents given by title, file and first lines."""
    standings = {str(place): read_standing(*document) for place, document in enumerate(documents)}
    return list(order_standings(standings, read_moments("", years)).values())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (("Old price list", "old-price-list.csv", ""), ("Price list", "price-list.csv", "")),
        (("旧版差旅制度", "旧版差旅制度.md", ""), ("差旅制度", "差旅制度.md", "")),
        (("Travel policy", "2024/travel.md", ""), ("Travel policy", "2026/travel.md", "")),
        (("Travel policy 2024", "travel-2024.md", ""), ("Travel policy", "travel.md", "Valid from 1 February 2026.")),
        (("差旅制度（2023年版）", "a.md", ""), ("差旅制度", "b.md", "本制度自2026年3月1日起施行，取代2023年版。")),
        (("Travel rules", "a.md", ""), ("Travel and expenses", "b.md", "It replaces the travel rules of 2024.")),
        (("考勤管理办法", "a.md", ""), ("工时制度", "b.md", "本制度取代《考勤管理办法》。")),
        (("Parking rules", "a.md", ""), ("Notice of change: parking rules", "b.md", "")),
        (("差旅制度", "a.md", ""), ("关于调整住宿标准的通知", "b.md", "现将《差旅制度》第三条调整为500元。")),
        (("Nordwind master agreement", "a.md", ""), ("Amendment 1 to the Nordwind master agreement", "b.md", "")),
    ],
)  # fmt: skip
def test_another_document_tells_that_one_is_old(old: tuple[str, str, str], new: tuple[str, str, str]) -> None:
    """F-751: documents of a year's folder, and those that the valid one says it replaces, answered as if valid."""
    assert order(old) == [0]
    assert order(old, new) == [1, 0]
    assert are_versions(read_standing(*old), read_standing(*new))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("Contract", "smith.docx", "Valid from 1 May 2024."), ("Contract", "jones.docx", "Valid from 1 May 2026.")),
        (("Annex 1", "annex-1-2024.md", ""), ("Annex 2", "annex-2-2026.md", "")),
        (("Draft beer menu", "draft-beer-menu.md", ""), ("Wine menu", "wine-menu.md", "")),
        (("Prices", "berlin/prices-2024.csv", ""), ("Prices", "paris/prices-2026.csv", "")),
        (("作废发票处理办法", "作废发票处理办法.md", ""), ("发票处理办法", "发票处理办法.md", "")),
        (("Expired goods", "expired-goods.md", ""), ("Goods", "goods.md", "")),
        (("Fire drill", "fire.md", ""), ("Travel", "travel.md", "It replaces the travel rules of 2024.")),
    ],
)  # fmt: skip
def test_documents_that_only_look_alike_stand_side_by_side(
    one: tuple[str, str, str], other: tuple[str, str, str]
) -> None:
    assert order(one, other) == [0, 0]
    assert not are_versions(read_standing(*one), read_standing(*other))


def test_a_year_that_is_asked_for_brings_what_was_in_force_then() -> None:
    """F-751: "in 2024" brought the rules of today where those of 2024 say that they are superseded."""
    old = ("Travel rules 2024", "travel-2024.md", "This document is superseded.")
    new = ("Travel rules 2026", "travel-2026.md", "")
    assert order(old, new) == [2, 0]
    assert order(old, new, years=("2024",)) == order(old, new, years=("2025",)) == [0, 1]
    assert order(old, new, years=("2026",)) == [2, 0]
    other = ("Trips", "trips.md", "Valid from 1 March 2026.")
    assert order(old, other, years=("2024",)) == [0, 1]
    assert order(new, other, years=("2026",)) == [0, 0]
    draft = ("Travel rules 2025", "travel-2025.md", "Not approved.")
    assert order(old, draft, new, years=("2025",)) == [0, 2, 1]
