"""What a question is about: its terms without the words that only ask, and the codes that an answer must hold. Pure.

"婚假几天？" is about 婚假 alone: 几天, and a pair across its border, would be terms of the highest weight. Words that
ask are taken away at asking time alone, so that documents keep all of theirs.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from itertools import accumulate, pairwise
from typing import Final

import rjieba

from app.han import HAN
from app.letters import detect_language
from app.lexicon import fold_script, terms, token_terms, tokens
from app.values import dates_in

# Words of a question that say that it asks, and nothing of what is asked: no document needs to hold them.
_ASKING: Final = frozenset((files("app") / "stopwords" / "asking_en.txt").read_text("utf-8").split())
# The same where they begin a question, or ask for a form of answer; elsewhere they may be what is asked about.
_OPENING: Final = re.compile(
    r"^\W*(?:(?:please|can you|could you|would you|i want (?:you )?to|i need)\s+)*"
    r"(?:list|show|name|give|tell|explain|describe|compare|summari[sz]e|find|count|write|search(?: for)?"
    r"|look up|enumerate"
    r"|provide|present|outline)\b(?: me| us)?(?: (?:a|an|the) (?:\w+ )?(?:list|summary|overview|table|example"
    r"|explanation|description) of"
    r"| an? (?:\w+ )?(?=example\b)| all| every| each)*",
    re.IGNORECASE,
)
# How the answer is to look; what may also be asked about ("a room with a table") counts after an imperative alone.
_STYLE: Final = re.compile(
    r"\b(?:with|as|in|using) (?:an? |the )?(?:\w+ )?(?:bullet points?|bullets|details?|few words|sentences?"
    r"|plain english|simple words|own words|short|brief)\s*[?.!]*$|\bstep by step\b",
    re.IGNORECASE,
)
_FORM: Final = re.compile(
    r"\b(?:with|as|in|using) (?:an? |the )?(?:\w+ )?(?:table|formula|list|bullet points?|examples?|details?|steps"
    r"|markdown|json|english|chinese|german)"
    r"(?:(?:,| and| or) (?:an? |the )?(?:table|formula|list|bullet points?|examples?|details?|diagram))*\s*[?.!]*$",
    re.IGNORECASE,
)
_TASK_ZH: Final = "介绍|说明|总结|概括|归纳|解释|概述|描述"
_COUNTED: Final = (
    "[天年周次回个位名人种类项条款点章节页篇句段首本份册张幅台辆架艘套件支只枚颗根块片间座所栋幢层站场届期轮批组级步"
    "岁度米吨]"
)
_ASKING_ZH: Final = re.compile(
    "(?:"
    # how many, how much, how long, when, where, who, which
    "(?:是|有|还有|要|需要|能|可以|可能|会|应该|大概|大约|一共|总共|共|分别|各|最多|最少|至少|为|因为|得|该|在|由|第"
    "|到底|究竟)*"
    "(?:多少(?:钱|小时|分钟|公里|[元月字]|{counted})?"
    "|几(?:点钟?|个(?:月|小时|工作日|人)?|小时|分钟|星期|[月号日元块倍折时楼班路部队代家]|{counted})?"
    "|多长时间|多久(?:时间)?|多大|多长|多高|多重|多远|多宽|多深|多厚|多快|多贵|多早|多晚|多频繁|什么时候|什么时间|什么地方"
    "|何时|何地|何处|何人|何种|何故|啥时候|啥"
    "|什么(?:样(?:的)?|意思|内容|东西|情况|事情?|原因|用处?|作用)?"
    "|哪[一几两]?(?:[月日些里儿边家部楼室班路队代国省市区县方]|方面|{counted})?"
    "|谁来?|怎么(?:办|样|做|弄|走|用|回事|处理|解决|操作|才能|算|去)?|怎样(?:才能|做)?|如何(?:才能)?|咋(?:办|样|弄)?|为什么|为何|为啥)"
    # the thing that the question word asks for
    "(?:时候|时间|意思|办法|方法|地方|东西|人)?"
    "|是否|能否|可否|能不能|可不可以|可以不可以|行不行|对不对|是不是|有没有|要不要|会不会|需不需要|用不用|应不应该|好不好"
    "|的?意思|一下(?:子)?|请问|请告诉我?|告诉我?|知道|想知道|想问|想要|我想|我要|帮我|帮忙|给我|查一?[查下]|说一?[说下]|讲一?[讲下]"
    "|(?:{task}|列)一?下|(?:进行|[做作](?:一?个)?)(?:{task})|列出|列举|简述"
    "|分别|主要(?:内容)?|有关|关于|相关|具体|详细|到底|究竟|大概|大约|现在|目前|(?:一般|通常)(?:来说|来讲|而言|情况下)?"
    "|需要|应该|可以|能够|必须|吗|呢|吧|啊|呀|么|嘛|[您你我](?:们)?(?:的|公司)?"
    ")".replace("{task}", _TASK_ZH).replace("{counted}", _COUNTED)
)
_MOST_ASKING_CHARS: Final = 16  # of one match of _ASKING_ZH
# A task at the start of what asks no question; 年终总结怎么写 is about a 总结.
_OPENING_ZH: Final = re.compile(
    rf"\W*(?:请|麻烦|帮我|帮忙|给我|[你您能]|可以|能否|能不能|可否|详细|简单|简要|具体)*(?:{_TASK_ZH})"
)
_ASKS_ZH: Final = re.compile("多少|几|多[久大长高]|何|什么|啥|哪|谁|怎|咋|吗|是否")
_HAN: Final = re.compile(f"[{HAN}]")
_HAN_RUN: Final = re.compile(f"[{HAN}]+")
_LATIN_WORD: Final = re.compile(r"[A-Za-z'’]+")
# Words that ask, but for where they are nouns: the US, the arithmetic mean, in May.
_NOUNS_TOO: Final = frozenset(("us", "mean", "stand", "stands", "look", "need", "needs"))
_DETERMINER: Final = re.compile(r"\b(?:the|an?|our|your|their|my|each|every|no) $", re.IGNORECASE)
_IS_NAME: Final = re.compile(r"\b[a-z][\w'’]{0,60}[,;:]? [A-Z][a-z]+$|[a-z][,;:]? [A-Z]{2,}$")
_BEFORE_MONTH: Final = re.compile(
    r"(?:\b(?:in|of|by|until|till|since|from|during|before|after|for|this|next|last|early|late|mid)"
    r"|\d(?:st|nd|rd|th)?\.?) $",
    re.IGNORECASE,
)
# What may be names, not numbers with a unit: 3rd, 10am, 24h and 500GB need not stand in an answer.
_MEASURE: Final = re.compile(
    r"\d+(?:\.\d+)?(?:st|nd|rd|th|am|pm|[hdwmysxk]|ms|[kmgt]i?b|[kmµn]?g|[kmcµn]?m|[km]?[vwa]|[kmg]?hz|px|pt|eur|usd|gbp|cny|chf|nm|bar"
    r"|min|sec|hrs?|ml|l|km/h)$",
    re.IGNORECASE,
)
_FILE: Final = re.compile(
    r"\.(?:md|txt|pdf|docx?|xlsx?|pptx?|csv|tsv|html?|json|ya?ml|xml|epub|ipynb|py|[jt]sx?|log|rst|adoc)$",
    re.IGNORECASE,
)
_WORDED_CODE: Final = re.compile(r"[a-z0-9]+(?:_[a-z0-9]+)+$", re.IGNORECASE)
_LONG_VERSION: Final = re.compile(r"v?\d+(?:\.\d+){2,}$|v\d+\.\d+$", re.IGNORECASE)
_VERSION_WORD: Final = re.compile(
    r"(?:version|release|v|版本?|[A-Z][a-z]+|[㐀-鿿])\s*(\d+(?:\.\d+)+)(?![\d.%])(?!\s*(?:%|percent|eur|元|bar))"
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as it is searched for.

    `text` is the question without courtesy; `terms` are distinct, in order, without those that only ask, and never
    empty where the text has a term at all. `codes` are the identifiers and versions in it, whole: what answers it holds
    them. `parts` are terms that are only a part of a code or a date: they help to find it and weigh nothing. `names`
    are terms of words that are written like names, `chance_pairs` pairs of characters across the border of two Chinese
    words.
    """

    text: str
    terms: tuple[str, ...]
    codes: tuple[str, ...]
    parts: frozenset[str]
    names: frozenset[str] = frozenset()
    chance_pairs: frozenset[str] = frozenset()


NOTHING: Final = Asked("", (), (), frozenset())


def read_question(text: str) -> Asked:
    """What a question, bare of courtesy, is about.

    >>> read_question("What does error E-107 mean?").terms, read_question("What does error E-107 mean?").codes
    (('error', 'e107', '107'), ('e107',))
    >>> read_question("婚假几天？").terms, read_question("每周哪一天不开会？").terms
    (('婚假',), ('每周', '开会'))
    """
    content = _without_asking(text)
    found = tuple(dict.fromkeys(terms(content)))
    if not found:
        content, found = text, tuple(dict.fromkeys(terms(text)))
    codes: list[str] = []
    parts: set[str] = set()
    for token in tokens(content):
        of_token = token_terms(token)
        if of_token and _is_code(token):
            codes.append(of_token[0])
            parts.update(of_token[1:])
    # A date is one term too: its year, month and day by themselves are many others'.
    for date in dates_in(content):
        parts.update(term for term in terms(date) if not term.startswith("@"))
    codes += [version for version in _VERSION_WORD.findall(content) if version in found]
    return Asked(
        text,
        found,
        tuple(dict.fromkeys(codes)),
        frozenset(parts) - set(codes),
        frozenset(_names(text)) - set(codes),
        frozenset(_chance_pairs(content)),
    )


def _names(text: str) -> Iterator[str]:
    """Terms of capitalised words that do not begin a sentence, where not every word is capitalised; German writes all
    nouns so."""
    if detect_language(text) == "de":
        return
    words = re.findall(r"(?<![\w'’.-])[A-Za-z][A-Za-z'’-]+", text)
    if all(word[0].isupper() for word in words):
        return
    for found in re.finditer(r"(?<=[\w,;:] )[A-Z][a-z]+(?![\w-])", text):
        yield from terms(found.group())


def _chance_pairs(text: str) -> Iterator[str]:
    """Pairs of characters across the border of two Chinese words of which one is longer than a character: two single
    characters may be a name that no dictionary has."""
    for token in tokens(text):
        if _HAN.match(token):
            for first, second in pairwise(rjieba.cut(token)):
                if len(first) > 1 or len(second) > 1:
                    yield first[-1] + second[0]


def content_terms(text: str) -> frozenset[str]:
    """The terms of a piece of a question that do not only ask; none where all of it does."""
    return frozenset(terms(_without_asking(text)))


def _without_asking(text: str) -> str:
    """The text with blanks where it only asks, traditional characters as simplified ones."""
    folded = fold_script(unicodedata.normalize("NFKC", text))
    if folded.isupper():
        folded = folded.lower()
    opening = _OPENING.match(folded)
    if opening:
        folded = _FORM.sub(" ", folded[opening.end() :])
    folded = _HAN_RUN.sub(_unless_chinese_words, _STYLE.sub(" ", folded))
    return _LATIN_WORD.sub(_unless_asking, folded)


def _unless_chinese_words(run: re.Match[str]) -> str:
    """A run of Chinese with a blank for each stretch of whole words that only asks: 年会 keeps its 会 before 什么时候.

    Words are those of the dictionary alone, since guesses at others join 要 and 多久 to what stands beside them. The
    dictionary lacks many that end in 会 (年会, 周会), so this is no 会 of its own behind a word of one character.
    """
    text = run.group()
    borders = list(accumulate(map(len, rjieba.cut(text, hmm=False)), initial=0))
    kept, at = "", 0
    if not run.string[: run.start()].strip() and not _ASKS_ZH.search(run.string):
        task = _OPENING_ZH.match(text)
        at = task.end() if task and task.end() in borders else 0
    for start in borders:
        if start < at or start == len(text):
            continue
        ends = [end for end in reversed(borders) if start < end <= start + _MOST_ASKING_CHARS]
        end = next((end for end in ends if _ASKING_ZH.fullmatch(text, start, end)), None)
        if end is not None and not (text[start] == "会" and start - 1 in borders and start > at):
            kept += text[at:start] + " "
            at = end
    return kept + text[at:]


def _unless_asking(word: re.Match[str]) -> str:
    found, lowered = word.group(), word.group().lower()
    before, after = word.string[: word.start()], word.string[word.end() : word.end() + 2]
    if lowered not in _ASKING:
        return found
    if before[-1:] in ("_", "-", ".", "/", "#", "@") or re.match(r"[\d_]|[-./@]\w", after):
        return found  # a part of an identifier
    if lowered != "ok" and _IS_NAME.search(before + found):
        return found  # US, Mean Well
    is_noun = lowered in _NOUNS_TOO and _DETERMINER.search(before)
    is_month = lowered == "may" and (_BEFORE_MONTH.search(before) or re.match(r" ?\d", after))
    return found if is_noun or is_month else " "


def _is_code(token: str) -> bool:
    """Whether a token names one thing: letters with digits (but no measure), words joined by _, a long version."""
    bare = token.strip("'’,.:-/@_#+")
    if _FILE.search(bare):
        return False
    if _LONG_VERSION.match(bare):
        return True
    has_both = any(c.isdigit() for c in bare) and any(c.isalpha() for c in bare)
    return bare.isascii() and ((has_both and not _MEASURE.match(bare)) or bool(_WORDED_CODE.match(bare)))
