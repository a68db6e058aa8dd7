"""Courtesy and circumstances change nothing of what is asked."""

from __future__ import annotations

import pytest

from app.question.courtesy import bare_question

QUESTIONS = ("What does error E-107 mean?", "Who did the U.S. collaborate with in 1975?")
QUESTIONS_ZH = ("婚假多少天？", "手機丟了怎麼辦？", "API key 多久过期？")


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize(
    "template",
    [
        "Hi, could you please tell me: {} Thank you very much!",
        "I would like to know the following. {}",
        "Good morning! {} Thanks in advance.",
        "Hello team, I have a quick question. {} Kind regards",
        "Could anyone tell me: {} Cheers",
        "I just started here last week and my manager sent me all of the rules to read. {}",
        "Hi there, hope you are well! {}",
        "Hi Anna, {}",
        "Dear Ms. Lee, {} Kind regards, Tom Miller",
        "Dear team,\n\nI hope this message finds you well. {}\n\nBest regards,\nMaria",
        "Excuse me, {}",
        "Sorry to bother you, but {}",
        "Quick question: {}",
        "Okay, here's my question: {}",
        "I was wondering, {}",
        "Not sure if this is the right place, but {}",
        "I couldn't find this in the handbook: {}",
        "I’d really appreciate it if you could tell me: {}",
        "If it's not too much trouble, {}",
        "I'm pretty new here. {} Any help would be greatly appreciated.",
        "Could you clarify something for me? {} It is rather urgent.",
        "Thanks for the last answer! {} I look forward to your reply.",
        "Hi team, can someone point me in the right direction? {} Please advise.",
        "This might be a silly question, but {}",
        "Just to be sure: {}",
        "Guys, {}",
        "{} Sorry if this is obvious.",
        "A customer called this morning and nobody in the office knew. {} I promised to call back by noon.",
    ],
)
def test_polite_questions_are_the_bare_one(template: str, question: str) -> None:
    """F-721."""
    assert bare_question(template.format(question)) == question


@pytest.mark.parametrize("question", QUESTIONS_ZH)
@pytest.mark.parametrize(
    "template",
    [
        "您好，请问{}谢谢！",
        "我想知道{}",
        "帮我查一下{}",
        "麻烦告诉我一下，{}",
        "不好意思，想请教一下，{}",
        "你好！{}麻烦您了",
        "{}非常感谢！",
        "请帮我查询{}",
        "请帮我搜索一下{}",
        "麻烦问一下{}",
        "不好意思打扰一下，想问一下，{}",
        "大家好，{}感谢各位的耐心解答",
        "各位好，我是新来的同事，{}",
        "打扰您几分钟，{}盼复",
        "我不太确定，{}",
        "我找了很久都没找到答案，{}",
        "有人知道吗？{}在线等，挺急的",
        "我上周刚入职，很多规定还不太熟悉，直属领导今天又出差了。{}",
        "领导好，{}有劳了",
        "小白一枚，请问{}",
        "同事让我帮忙问一下，{}期待您的回复。",
        "可能是个很蠢的问题，{}",
        "能否告知{}",
        "急急急！{}",
        "請問{}謝謝！",
        "幫我查一下{}",
        "麻煩告訴我一下，{}",
        "能不能跟我說一下{}",
        "請教各位前輩，{}感激不盡",
        "冒昧請問一下，{}感謝您的回覆。",
    ],
)
def test_polite_chinese_questions_are_the_bare_one(template: str, question: str) -> None:
    """F-721."""
    assert bare_question(template.format(question)) == question


@pytest.mark.parametrize(
    ("text", "bare"),
    [
        ("I was wondering whether the canteen is open on Mondays?", "the canteen is open on Mondays?"),
        ("Hi can you tell me the price of a filter", "the price of a filter"),
        ("What is the wifi password thanks", "What is the wifi password"),
        ("你知道食堂几点开门吗？", "食堂几点开门吗？"),
        ("我想了解一下年假", "年假"),
        ("想請教一下關於年假的規定", "關於年假的規定"),
        ("员工出差住酒店，想知道标准是多少？", "员工出差住酒店，标准是多少？"),
    ],
)
def test_what_announces_a_question_within_its_clause_is_left_out(text: str, bare: str) -> None:
    """F-721."""
    assert bare_question(text) == bare


@pytest.mark.parametrize(
    "text",
    [
        "Thanks!", "你好", "???", "Hello", "VPN", "年假", "Please", "在吗",
        "Thank you letters", "How do I write a thank you?", "Hello world example", "Hello Kitty prices?",
        "Sorry cards: who sends them?", "Urgent orders, what do they cost?", "Help desk: phone?",
        "Well water testing",
        "Question types in the quiz", "Morning shift, when does it start?", "Welcome package contents",
        "OK button colour",
        "If I need help, whom do I call?", "My order is late, what discount do I get?",
        "Part time: how is leave counted?",
        "The customer is late. What fee applies?", "This year, how many days do I get?",
        "Note: is smoking allowed?", "If it rains, do we meet?", "In Berlin, how many days do I get?",
        "How do I ask for leave?", "May I ask my manager for a raise?", "Who can tell customers the price?",
        "Do I need to tell my manager that I am ill?", "What do I need to know about fire?", "I want to learn German",
        "感谢信怎么写", "请假流程", "请购单怎么填？", "麻烦事怎么办", "问卷在哪填？", "问候客户的模板",
        "查询系统怎么登录？",
        "谁能查看工资表？", "可以查询工资吗？", "新员工入职，需要带什么？", "有问题找谁？", "质量问题，怎么上报？",
        "告知函模板",
        "打扰客户的规定", "怎么说谢谢", "急诊报销吗？", "咨询费怎么报销？", "文件找不到，如何恢复？",
        "请教师吃饭可以报销吗？",
        "急件，多久送到？", "咨询，怎么收费？", "辛苦费，怎么发？", "答复客户，几天内？", "请假三天，找谁批？",
        "新来的，工牌找谁领？",
        "請假流程是什麼？", "感謝信怎麼寫？", "迟到三次，算旷工吗？", "对加班费的计算不太了解，怎么算？",
    ],
)  # fmt: skip
def test_what_is_asked_about_stays(text: str) -> None:
    """F-721: words of courtesy that are the topic, and a text of nothing else."""
    assert bare_question(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "My laptop was stolen on the train yesterday evening. What should I do?",
        "My laptop was stolen on the train yesterday evening. Whom do I report it to?",
        "I'm pregnant. How long is my leave?",
        "我的电脑昨天下午在地铁上被人偷了，里面有很多客户资料。怎么办？",
    ],
)
def test_circumstances_that_the_question_needs_stay(text: str) -> None:
    """F-721: for a question that says little by itself, and what is short."""
    assert bare_question(text) == text


@pytest.mark.parametrize(
    ("text", "bare"),
    [
        ("I have a question about leave. How many days?", "leave. How many days?"),
        ("Re: Question about leave", "Re: Question about leave"),
        ("我需要知道的安全规定有哪些？", "我需要知道的安全规定有哪些？"),
        ("So long as I work here, do I get a car?", "So long as I work here, do I get a car?"),
    ],
)
def test_what_an_announcement_names_stays(text: str, bare: str) -> None:
    """F-721."""
    assert bare_question(text) == bare


def test_a_code_in_the_circumstances_is_what_is_asked_of() -> None:
    """F-721."""
    text = (
        "Since this morning the big press in hall 3 shows E-107 and E-107 alone. How do I reset the device?"
    )
    assert bare_question(text) == "E-107: How do I reset the device?"


def test_circumstances_before_an_announcement_within_a_sentence_are_left_out() -> None:
    """F-721."""
    text = "您好，我上个月入职，最近家里有一些事情需要处理，想请几天假，但不清楚流程，请问请假需要提前多久申请？谢谢！"
    assert bare_question(text) == "请假需要提前多久申请？"


def test_a_question_that_leans_on_its_own_first_sentence_keeps_it() -> None:
    text = "In the layered model of the Earth, the mantle has two layers below it. What are they?"
    assert bare_question(text) == text
