"""Texts that the fidelity files are made of: the same story in the file of every program that can hold it. Ours."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Final

Block = tuple[str, ...]  # kind, then its texts


@dataclass(frozen=True, slots=True)
class Story:
    """A text: "h2", "h3", "p", "li", "ol", "row", "code" (language, code), "note" (title, text), "tabs"
    (label, text, …)."""

    name: str
    title: str
    blocks: tuple[Block, ...]


STORIES: Final = (  # of web pages
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

LIBRARY: Final = Story(
    "library",
    "圖書館借閱規則",
    (
        ("p", "本規則自民國一一五年一月起適用於全體讀者，包括教職員、學生與校友。"),
        ("h2", "借閱期限"),
        ("p", "一般圖書借期為三十天，可續借兩次；有人預約時不得續借。"),
        ("row", "讀者類別", "冊數上限", "借期"),
        ("row", "教職員", "40", "90 天"),
        ("row", "學生", "20", "30 天"),
        ("h3", "逾期處理"),
        ("p", "逾期每冊每日罰款新臺幣五元，遺失者應購買同版本圖書賠償。"),
        ("h2", "入館須知"),
        ("ol", "刷證入館，不得冒用他人證件。"),
        ("ol", "手機請調為靜音。"),
        ("ol", "離館前須歸還自習室鑰匙。"),
        ("p", "「珍本書庫」僅限館內閱覽，須於三日前預約。"),
    ),
)
FREEZER: Final = Story(
    "freezer",
    "冷凍庫の点検手順",
    (
        ("p", "この手順書は、第二倉庫の冷凍庫を毎朝点検する担当者のためのものです。"),
        ("h2", "点検の前に"),
        ("li", "防寒手袋と滑り止めの靴を着用する。"),
        ("li", "入口の鍵は警備室で受け取る。"),
        ("h2", "温度の基準"),
        ("row", "区画", "基準温度", "許容差"),
        ("row", "アイス", "-25 ℃", "±2 ℃"),
        ("row", "冷凍野菜", "-18 ℃", "±3 ℃"),
        ("p", "基準を外れたときは、ただちに設備課（内線４４１２）へ連絡してください。"),
        ("h2", "記録"),
        ("p", "点検の結果は「日報」に記入し、責任者の押印を受けます。"),
    ),
)
BAKERY: Final = Story(
    "bakery",
    "Betriebsanweisung für den Etagenofen",
    (
        (
            "p",
            "Der Ofen fasst 24 Bleche und wird täglich um 3:30 Uhr vorgeheizt; größere Mengen nur nach Absprache.",
        ),
        ("h2", "Vor dem Anheizen"),
        ("ol", "Schwadenklappe schließen und Wasserdruck prüfen."),
        ("ol", "Öltemperatur ablesen: mindestens 40 °C."),
        ("h2", "Backzeiten"),
        ("row", "Gebäck", "Temperatur", "Dauer"),
        ("row", "Brötchen", "230 °C", "18 min"),
        ("row", "Roggenbrot", "250 °C fallend", "55 min"),
        ("p", "„Nie mit nassen Handschuhen greifen!“ – so steht es auch an der Tür."),
        ("h3", "Störungen"),
        ("p", "Bei Fehler F7 ist der Fühler lose; rufen Sie Frau Jäger (Durchwahl 0815)."),
        ("code", "ini", "[ofen]\nsoll = 230\nschwaden_s = 12"),
    ),
)
FERRY: Final = Story(
    "ferry",
    "Règlement de la traversée",
    (
        ("p", "Les passagers embarquent au plus tard vingt minutes avant l’heure prévue, côté bâbord."),
        ("h2", "Bagages"),
        ("li", "Un bagage de 23 kg est compris dans le prix."),
        ("li", "Les vélos coûtent 8,50 € l’aller."),
        ("h2", "Sécurité à bord"),
        ("p", "« Le gilet se porte par-dessus le manteau », rappelle l’équipage à chaque départ."),
        ("note", "Attention", "La passerelle est glissante par temps de gel."),
        ("row", "Pont", "Places", "Œuvres exposées"),
        ("row", "Supérieur", "120", "Naïades, où l’été naît"),
        ("row", "Inférieur", "84", "Forêt d’Écosse"),
    ),
)
ARCHIVE: Final = Story(
    "archive",
    "Правила читального зала",
    (
        (
            "p",
            "Читальный зал открыт с девяти до восемнадцати часов, кроме воскресенья и последней пятницы месяца.",
        ),
        ("h2", "Заказ дел"),
        ("ol", "Заполните требование разборчиво, указав фонд, опись и номер."),
        ("ol", "За один день выдаётся не более пяти дел."),
        ("h2", "Копирование"),
        ("row", "Вид копии", "Цена", "Срок"),
        ("row", "Чёрно-белая", "15 руб.", "2 дня"),
        ("row", "Цветная", "40 руб.", "5 дней"),
        ("p", "Съёмка собственным аппаратом без вспышки бесплатна."),
    ),
)
MUSEUM: Final = Story(
    "museum",
    "박물관 관람 안내",
    (
        ("p", "관람 시간은 오전 열 시부터 오후 여섯 시까지이며 월요일은 휴관합니다."),
        ("h2", "입장료"),
        ("row", "구분", "개인", "단체"),
        ("row", "어른", "4,000원", "3,000원"),
        ("row", "어린이", "1,500원", "1,000원"),
        ("h2", "유의 사항"),
        ("li", "전시실 안에서는 음식을 먹을 수 없습니다."),
        ("li", "삼각대와 플래시는 사용할 수 없습니다."),
        ("p", "해설 프로그램은 하루 전까지 누리집에서 예약해 주십시오."),
    ),
)
MARKET: Final = Story(
    "market",
    "دليل سوق الأسماك",
    (
        ("p", "يفتح السوق أبوابه كل يوم من الخامسة صباحا حتى الظهر ما عدا يوم الجمعة."),
        ("h2", "الأسعار"),
        ("row", "النوع", "السعر", "الوزن"),
        ("row", "هامور", "45", "كيلوغرام"),
        ("row", "روبيان", "60", "كيلوغرام"),
        ("h2", "التعليمات"),
        ("li", "يحفظ السمك على الثلج طوال مدة العرض."),
        ("li", "تدفع الرسوم عند البوابة الشمالية."),
    ),
)
GUIDE, POLICY, PRODUCT = STORIES


def parts_of(story: Story) -> Iterator[tuple[str, list[Block]]]:
    """Yield the story's parts in order: a kind with its blocks; items of a list and rows of a table come together."""
    for kind, blocks in groupby(story.blocks, key=lambda block: block[0]):
        texts = [block[1:] for block in blocks]
        if kind in {"li", "ol", "row"}:
            yield kind, texts
        else:
            yield from ((kind, [text]) for text in texts)


def words_of(story: Story, *, without: tuple[str, ...] = (), title: bool = False) -> tuple[str, ...]:
    """The texts that a file of this story must show, in order: lines of code and cells of tables one by one. `without`
    names kinds that the file does not hold."""
    found = [story.title] if title else []
    for kind, *texts in story.blocks:
        if kind not in without:
            found += texts[1].split("\n") if kind == "code" else texts
    return tuple(" ".join(text.split()) for text in found)


def headings_of(story: Story) -> tuple[str, ...]:
    """The story's headings below its title, in order."""
    return tuple(block[1] for block in story.blocks if block[0] in {"h2", "h3"})
