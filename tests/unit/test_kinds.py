"""What kind of answer a question wants, told by the words that ask; positive and negative, in three scripts."""

from __future__ import annotations

import pytest
from opencc import OpenCC

from app.question.courtesy import bare_question
from app.question.kinds import read_wanted

TO_TRADITIONAL = OpenCC("s2t")

LISTS = [
    "Which cities have an office?", "What benefits are there?", "List all suppliers", "Who attended the kickoff?",
    "Who was at the meeting on 3 May?", "Who was invited?", "Who are the members of the works council?",
    "What was decided on 3 May?", "Which of our products are certified?", "Requirements for admission",
    "What do I need to bring?", "What do I have to submit?", "What types of contracts do we offer?",
    "What changed in 2.4?", "Where are all our branches?", "In which countries are we active?",
]  # fmt: skip
LISTS_ZH = [
    "公司有哪些福利？", "哪几个城市有办公室？", "都有谁参加了会议？", "列出所有供应商", "3月例会的决议",
    "入职需要带什么？", "公司有什么福利？",
    "套餐包括什么？", "谁缺席了例会？", "所有供应商的电话", "参会人员名单",
]  # fmt: skip
COUNTS = [
    "How many offices do we have?", "How many error codes are there?", "What is the number of suppliers?",
    "Count the vehicles", "How many people work in Berlin?", "How many day care centres do we run?",
]  # fmt: skip
COUNTS_ZH = [
    "一共有多少个部门？", "有几种保修方案？", "我们有几家供应商？", "有多少位董事？", "几位员工住在上海？",
    "仓库里有多少台叉车",
    "员工总数是多少？", "审批流程分为几个阶段？",
]  # fmt: skip
COMPARISONS = [
    "What is the difference between the basic and the plus plan?", "Compare the P-10 with the P-20",
    "Is the P-20 heavier than the P-10?", "Which is cheaper, the van or the truck?", "P-10 vs P-20",
    "Which one lasts longer, the red or the blue battery?", "How do the two contracts differ?",
    "Does the P-20 have the same battery as the P-10?", "Is the train or the bus faster?",
    "What changed between v1.2 and v1.3?",
]  # fmt: skip
COMPARISONS_ZH = [
    "标准版和专业版有什么区别？", "P-10和P-20哪个贵？", "比较一下年假和事假", "P-20比P-10重吗？",
    "哪个方案更划算？", "年假与事假有何不同？",
    "这两种合同之间的差别", "货车跟客车相比，哪个省钱？",
]  # fmt: skip
STEPS = [
    "How do I request leave?", "How to reset the press", "What is the procedure for returns?",
    "Steps to install the app",
    "What do I do if my badge is lost?", "How can a visitor get a badge?", "What are the steps?",
    "I lost it, how do I block it?",
    "Explain the process of hiring",
]  # fmt: skip
STEPS_ZH = [
    "怎么申请年假？", "手机丢了怎么办？", "有不同意见怎么办？", "如何安装客户端？", "报销流程是什么？", "退货流程",
    "离职要办什么手续，怎么办理？",
    "入职有哪些步骤？", "不同部门的人怎么一起报销？",
]  # fmt: skip
PASSAGES = [
    "Who was Napoleon?", "Who was responsible for the audit?", "Who is in charge of the warehouse?",
    "Who wrote the procedure?",
    "How long is the meeting between 9 and 10?", "Who signs the list?", "Where is the list of suppliers?",
    "What status does the order have?", "Which process is used for hiring?", "What was the price in 2023?",
    "How many days of leave do I get?", "How many working days does it take?", "How many kilograms may I ship?",
    "How many hours a week do trainees work?", "When was the price higher than usual?",
    "Is it longer than 30 days?", "What else, other than cash, is accepted?", "Who signs for cash differences?",
    "Who pays all costs of the course?", "What is controlled by the board and the council?",
    "When do the changes apply?",
    "How old are the trucks?", "Why were the steps painted?",
]  # fmt: skip
PASSAGES_ZH = [
    "多少个工作日内报销？", "试用期几个月？", "第几个工作日发工资？", "清单由谁负责？", "流程由谁审批？",
    "谁负责所有采购？", "婚假工资怎么算？",
    "这个词用英语怎么说？", "导电性如何？", "比例最高是多少？", "密码多久更换？", "不同意见由谁处理？",
    "更衣室在哪？", "属于哪个部门？", "由哪个公司开发？",
    "员工是否全部要打卡？", "不锈钢比重是多少？", "密码至少多少位？", "拿破仑是谁？", "百分比是多少？",
    "一年有几个季度奖？",
]  # fmt: skip
# Whole documents are summed up elsewhere (collection_questions.py); their steps and lists are not what is asked for.
SUMMARIES = [
    "Summarise the handbook", "Give me a summary of the minutes", "What is the handbook about?", "总结一下考勤制度",
    "概括这份合同的内容",
]  # fmt: skip


def _cases() -> list[tuple[str, str]]:
    by_shape = {
        "list": (LISTS, LISTS_ZH),
        "count": (COUNTS, COUNTS_ZH),
        "comparison": (COMPARISONS, COMPARISONS_ZH),
        "steps": (STEPS, STEPS_ZH),
        "passage": (PASSAGES + SUMMARIES, PASSAGES_ZH),
    }
    return [
        (question, shape)
        for shape, (english, chinese) in by_shape.items()
        for question in [*english, *chinese, *map(TO_TRADITIONAL.convert, chinese)]
    ]


@pytest.mark.parametrize(("question", "shape"), _cases())
def test_the_shape_is_told_by_the_words_that_ask(question: str, shape: str) -> None:
    """F-711, F-712."""
    assert read_wanted(question).shape == shape


@pytest.mark.parametrize(
    "question", ["Which cities have an office?", "如何安装客户端？", "一共有多少個部門？"]
)
@pytest.mark.parametrize("template", ["{}", "Hi, could you please tell me: {} Thanks!", "您好，请问{}謝謝！"])
def test_courtesy_does_not_change_the_shape(template: str, question: str) -> None:
    """F-721."""
    assert read_wanted(bare_question(template.format(question))).shape == read_wanted(question).shape


@pytest.mark.parametrize(
    "question", ["不能带什么？", "没有发票能报销吗？", "哪些人不用打卡？", "谁沒參加？", "Who doesn't pay?"]
)
def test_what_is_not_so_is_a_negation(question: str) -> None:
    assert read_wanted(question).negated


@pytest.mark.parametrize(
    "question",
    [
        "能不能带宠物？",
        "有没有食堂？",
        "不同部门的预算",
        "没收的物品放哪",
        "未来三年的计划",
        "不鏽鋼水杯多少錢",
        "Where is room no. 5?",
    ],
)
def test_what_asks_both_ways_or_only_looks_so_is_none(question: str) -> None:
    """F-731: 能不能 is "can", 不同 is "different"."""
    assert not read_wanted(question).negated


@pytest.mark.parametrize(
    ("question", "superlative"),
    [
        ("哪个产品最贵？", True),
        ("最好的供应商是谁？", True),
        ("Which filter costs the most?", True),
        ("最多可以休几天？", False),
        ("最晚几点打卡？", False),
        ("At most how many days?", False),
    ],
)
def test_a_limit_is_not_the_most_of_several(question: str, superlative: bool) -> None:
    assert read_wanted(question).superlative is superlative


def test_your_company_is_not_expensive() -> None:
    assert not read_wanted("贵公司的地址在哪里？").price
    assert read_wanted("哪个滤芯贵？").price


@pytest.mark.parametrize(
    ("question", "bound"),
    [
        *(("Which cost between 5 and 10 EUR?", True), ("Which take less than two weeks?", True)),
        *(("Which have a warranty longer than a year?", True), ("Which weigh no more than HK$ 5?", True)),
        *(
            ("质保不少于两年的有哪些？", True),
            ("5到10元之间的有哪些？", True),
            ("三百元以下的有哪些？", True),
        ),
        *(("Is a desk cheaper than a chair?", False), ("Which is older than the pump?", False)),
        *(("What is the difference between 2024 and 2025?", False), ("What happens over a weekend?", False)),
        *(("比書桌便宜的有哪些？", False), ("哪些在北京和上海之间？", False)),
    ],
)
def test_a_bound_has_a_number(question: str, bound: bool) -> None:
    """F-711: what is compared with another thing has none."""
    assert read_wanted(question).bound is bound
