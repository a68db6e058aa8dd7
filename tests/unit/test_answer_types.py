"""What kind of value a question asks for, and which texts have one."""

from __future__ import annotations

import pytest

from app.lexicon import fold_script
from app.question.answer_types import read_answer_type, told_by_row


def type_of(question: str) -> str | None:
    kind = read_answer_type(fold_script(question))
    return kind.name if kind is not None else None


QUESTIONS = {
    "contact": (
        *("What is the phone number of reception?", "How do I reach the helpdesk?", "What's Ada's email?"),
        *("Which number do I call?", "前台电话是多少？", "怎么联系客服？", "客服的郵箱是什麼？"),
    ),
    "money": (
        *(
            "How much is a desk?",
            "What does a desk cost?",
            "What is the fine for a late return?",
            "price of a desk",
        ),
        *(
            "How much is paid per kilometre?",
            "書桌多少錢？",
            "停车费是多少？",
            "停车费怎么算？",
            "餐补津贴标准",
        ),
    ),
    "percent": ("What percentage is refunded?", "Which rate applies?", "退款比例是多少？", "稅率是多少？"),
    "frequency": (
        "How often are backups made?",
        "How many times a year is it checked?",
        "多久备份一次？",
        "每年體檢幾次？",
    ),
    "time": (
        "What time does the canteen open?",
        "What are the opening hours?",
        "食堂几点开门？",
        "營業時間是什麼？",
    ),
    "duration": (
        *("How long do keys last?", "How many working days does it take?", "How soon must I report?"),
        *("How much time do I have?", "How many days until the deposit is refunded?"),
        *("年假有几天？", "试用期几个月？", "質保期多久？", "要等多少时间？", "保修期限是多久？"),
    ),
    "extent": ("How long is the bridge?", "How long is the trial?", "桥有多长？", "試用期多長？"),
    "date": (
        *(
            "When was it built?",
            "When is the fee due?",
            "When do I get an e-mail?",
            "Which year was it founded?",
        ),
        *("Until when can I register?", "How old is the pump?", "When to change the filter?"),
        *("什么时候发工资？", "哪天发工资？", "几月发奖金？", "報名截止日期", "公司成立于哪一年？"),
    ),
    "reason": (
        *(
            "Why is the door locked?",
            "What is the reason for the fee?",
            "How come it fails?",
            "Why was my e-mail lost?",
        ),
        *("为什么门锁了？", "為何要雙簽？", "費用為什麼這麼高？", "导致停机的原因有哪些？"),
    ),
    "amount": (
        *(
            "How many seats does it have?",
            "How high is the tower?",
            "How fast is the link?",
            "How high is the fee?",
        ),
        *("有多少座位？", "塔有多高？", "密码最少几位？", "發票金額上限是多少？"),
    ),
    "name": (
        "Who approves leave?",
        "Whose desk is it?",
        "谁审批请假？",
        "負責人是誰？",
        "哪位经理负责采购？",
    ),
    "place": (
        "Where is the printer?",
        "Where do I pay the fee?",
        "Which room is it in?",
        "打印机在哪里？",
        "公司地址？",
    ),
}


@pytest.mark.parametrize(
    ("name", "question"), [(name, question) for name, asked in QUESTIONS.items() for question in asked]
)
def test_questions_of_each_type(name: str, question: str) -> None:
    """The words that ask decide before those that a question is about: "When is the fee due?" asks no price."""
    assert type_of(question) == name


@pytest.mark.parametrize(
    "question",
    [
        *("What was he doing when the alarm rang?", "What happens when a key expires?"),
        *("When you reset it, what is lost?", "What did she say when they were late?"),
        *("它被称为什么？", "这个模块叫做什么？", "規則改為什麼了？", "为什么样的客户提供服务？"),
        *("What does E-107 mean?", "How do I reset it?", "List the codes", "怎么重置？", "什么是网关？"),
        *("Is it fine to park here?", "Does the salary include lunch?", "Can I use my phone at work?"),
        *("How do I call the API?", "How do I reach the settings page?", "How are e-mails archived?"),
        *("工资可以预支吗？", "请假需要写明原因吗？", "是否有截止日期？", "能不能改电话？", "工资怎么发？"),
    ],
)
def test_questions_that_ask_for_no_value(question: str) -> None:
    """A "when" in the middle is no date, and a question that asks how or whether wants no value of what it is about."""
    assert type_of(question) is None


@pytest.mark.parametrize(
    ("question", "has", "lacks"),
    [
        ("What is the phone number?", "Call 030-123-4567.", "Call the desk on floor 12."),
        ("What's the email?", "Write to help@example.org.", "Write to the helpdesk."),
        ("电话是多少？", "请拨打分机 8021。", "请联系前台。"),
        ("What does it cost?", "It is EUR 12.", "It depends on 3 things."),
        ("What does it cost?", "Parking is free of charge.", "Feel free to ask."),
        ("多少钱？", "每月三百元。", "请咨询3号窗口。"),
        ("What percentage?", "A tenth, 10 %, is kept.", "A tenth is kept."),
        ("How often?", "It is checked twice a year.", "It is checked by Ada."),
        ("多久一次？", "每季度检查。", "由张三检查。"),
        ("What time?", "It opens at 08:30.", "It opens early."),
        ("几点开门？", "早上八点开门。", "周一开门。"),
        ("How long does it take?", "It takes ten working days.", "It takes patience."),
        ("How long is the bridge?", "It is 330 metres long.", "It is long."),
        ("多久？", "需要五个工作日。", "需要经理同意。"),
        ("How long does that take?", "It takes 40 minutes.", "It is inspected every 300 km."),
        ("When?", "It was on 4 March.", "It was at the GW-2025-A."),
        ("When was it?", "In 1998.", "In the basement."),
        ("什么时候？", "每月十五日，三月除外。", "由人事部决定。"),
        ("Why?", "It is locked because of theft.", "It is locked at night."),
        ("为什么？", "为了安全。", "门锁了，与网络因素和因特网无关。"),
        ("How many?", "There are twelve.", "There are many."),
        ("Who?", "It is approved by Ada.", "It is approved by the manager."),
        ("谁批准？", "由部门经理张三负责。", "需要提前三天。"),
        ("Where?", "It stands in the hall.", "It is red."),
    ],
)
def test_values_of_a_type(question: str, has: str, lacks: str) -> None:
    kind = read_answer_type(fold_script(question))
    assert kind is not None
    assert kind.value.search(has)
    assert not kind.value.search(lacks)


def test_a_row_tells_its_values_with_the_units_of_its_columns() -> None:
    names = ("SKU", "Price EUR", "质保（月）", "Weight [kg]", "")
    assert told_by_row(names, ("A-1", "349.00", "24", "", "red")) == "349.00 EUR; 24 月; ; red"
    assert told_by_row((), ("A-1", "349.00")) == "349.00"
    assert told_by_row((), ()) == ""
