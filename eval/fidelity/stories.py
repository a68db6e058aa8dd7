"""Texts that the fidelity files are made of: the same story in the file of every program that can hold it. Ours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

Block = tuple[str, ...]  # kind, then its texts


@dataclass(frozen=True, slots=True)
class Story:
    """A text: "h2", "p", "li", "row", "code" (language, code), "note" (title, text), "tabs" (label, text, …)."""

    name: str
    title: str
    blocks: tuple[Block, ...]


STORIES: Final = (
    Story(
        "guide",
        "Set up the relay agent",
        (
            (
                "p",
                "The relay agent forwards readings from the meters of a plant to the archive every five minutes.",
            ),
            ("p", "It needs 200 MB of memory, one open port and an account that may write to the archive."),
            ("h2", "Install the agent"),
            (
                "tabs",
                "Debian",
                "Run apt install relay as root.",
                "Windows",
                "Run winget install relay from a terminal.",
            ),
            ("p", "The service starts by itself once the package is in place."),
            ("code", "python", "def load(path):\n    with open(path) as file:\n        return file.read()"),
            ("note", "Warning", "Never run two agents against one archive, or readings are written twice."),
            ("h2", "Limits by plan"),
            ("row", "Plan", "Meters", "Days kept"),
            ("row", "Basic", "40", "90"),
            ("row", "Large", "2500", "730"),
            ("h2", "What to check afterwards"),
            ("li", "The green lamp is lit within a minute."),
            ("li", "The log names the archive and its version."),
            ("p", "If the lamp stays dark, read the last line of the log and restart the agent once."),
        ),
    ),
    Story(
        "policy",
        "差旅报销制度",
        (
            (
                "p",
                "本制度适用于公司全体员工因公出差所发生的交通、住宿和餐饮费用，自二〇二五年三月一日起施行。",
            ),
            ("h2", "标准与限额"),
            ("row", "级别", "住宿上限", "每日补贴"),
            ("row", "经理", "650 元", "120 元"),
            ("row", "员工", "450 元", "100 元"),
            ("p", "超出限额的部分由个人承担，确有特殊情况的须事先取得部门负责人的书面同意。"),
            ("note", "警告", "虚假票据一经查实，取消当年全部报销资格。"),
            ("h2", "如何提交"),
            (
                "tabs",
                "网页端",
                "在报销页面上传发票照片并填写行程。",
                "手机端",
                "打开应用后点击拍照，系统自动识别金额。",
            ),
            ("li", "发票抬头必须与公司全称一致。"),
            ("li", "出差结束后三十天内提交，逾期不予受理。"),
            ("code", "bash", "curl -F file=@invoice.pdf https://fees.example/upload"),
            ("p", "财务部在五个工作日内完成审核并付款。"),
        ),
    ),
    Story(
        "product",
        "Field kettle of enamelled steel",
        (
            (
                "p",
                "A kettle for open fires and stoves, with a lid that stays on while pouring and a handle of beech.",
            ),
            ("p", "It holds 1.4 litres, weighs 780 grams and costs 48.50 euros including tax."),
            ("h2", "Care"),
            ("li", "Rinse with warm water and dry at once."),
            ("li", "Do not scour the enamel with steel wool."),
            ("note", "Note", "The base grows hot enough to mark a wooden table."),
            ("h2", "Sizes"),
            ("row", "Size", "Volume", "Article"),
            ("row", "Small", "0.9 l", "FK-09"),
            ("row", "Tall", "1.4 l", "FK-14"),
            (
                "tabs",
                "Warranty",
                "Ten years against cracks.",
                "Delivery",
                "Three to five working days within Europe.",
            ),
            ("code", "json", '{"article": "FK-14", "stock": 12}'),
            ("p", "Spare lids and handles are sold separately and fit all years of make."),
        ),
    ),
)
