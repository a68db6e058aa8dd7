"""Which clauses of a question are courtesy or padding: they ask for nothing. Pure.

A clause is courtesy where all of its words are greetings, thanks, apologies, announcements of a question and the small
words between them: "Thank you letters" and 感谢信 have a word more. It is padding where the rest is everyday words or,
in Chinese, pronouns, numbers and particles: that says little, but may be what a question leans on.
"""

from __future__ import annotations

import re
from importlib.resources import files
from typing import Final

import rjieba

from app.han import HAN
from app.lexicon import ENGLISH_STOP_WORDS
from app.question.talk import Talk, read_talk

EDGES: Final = " \t\n,，:：;；、–—-"
ENDS: Final = EDGES + ".。!！?？~～…"
CLAUSE_END: Final = re.compile(
    r"\s{0,40}(?:(?<!\bMr)(?<!\bMs)(?<!\bMrs)(?<!\bDr)[,;:!.?…–—]{1,40}(?=\s|$)|\s-)\s*(?:(?:but|and|so)\s+)?"
    r"|\s{1,40}but\s+",
    re.IGNORECASE,
)
CLAUSE_END_ZH: Final = re.compile(
    r"[ \t\n]*[，,；;：:！!。.？?~～…—、]+[ \t\n]*(?:但是?|不过|然后|所以)?|[ \t\n]+"
)
GREETING: Final = r"(?:hi|hello|hey|hiya|dear|greetings|good (?:morning|afternoon|evening|day))"
CALLED: Final = r"(?:there|all|everyone|everybody|team|folks|guys|again)"


def _words(name: str) -> frozenset[str]:
    return frozenset((files("app") / "stopwords" / f"{name}.txt").read_text("utf-8").split())


_COURTEOUS: Final = _words("courtesy_en")
_AROUND: Final = _COURTEOUS | _words("around_en")
_SAID: Final = _AROUND | _words("asking_en") | ENGLISH_STOP_WORDS
# Everyday words that are things in a company's documents too.
_THINGS: Final = frozenset(
    ("leave", "order", "orders", "job", "offer", "office", "home", "shop", "paper", "email")
)
_EVERYDAY: Final = (_SAID | _words("everyday_en")) - _THINGS
_NAMES_TOPIC: Final = re.compile(
    r"\b(?:about|regarding|concerning) (?!(?:this|that|it|something|anything|everything|you|me|us|here)\b)\w",
    re.IGNORECASE,
)
_SEARCHED: Final = re.compile(
    r"(?:i|we)(?:'ve| have)?(?: been)?(?: already| just)? (?:(?:search|look|check)(?:ed|ing)?|tried)\b"
    r"|(?:i|we) (?:(?:could|can|did)(?:n't| ?not)|was not able to|wasn't able to|am unable to) (?:seem to )?find\b"
    r"|(?:i am|i'm|we are|we're)(?: pretty| quite| very| still| kind of| relatively| completely)? new\b"
    r"|not (?:really |entirely |quite )?sure\b|one (?:more|last) thing\b|me again\b|(?:a )?(?:quick|short|small) one\b",
    re.IGNORECASE,
)
_WORD: Final = re.compile(r"[\w'’]+")
_CONTRACTED: Final = re.compile(r"(?:n't|'(?:s|m|re|ve|d|ll))$")
_CONDITION: Final = re.compile(r"(?:if|when|whether)\b", re.IGNORECASE)
_POLITE_CONDITION: Final = re.compile(
    r"(?:if|when) (?:.* )?(?:mind|may|possible|ok|okay|trouble|time)\b", re.IGNORECASE
)
_ASKED_TO_HELP: Final = re.compile(
    r"(?:can|could|would|will|may|might) (?:you|anyone|anybody|someone|somebody)\b.*\b(?:me|us|this|that|something)\b",
    re.IGNORECASE,
)
_NAME: Final = r"[A-Z][\w.’'-]*"
_ADDRESS: Final = re.compile(
    rf"(?i:{GREETING})(?: (?:Mr|Mrs|Ms|Dr|Prof)\.?)?(?: {_NAME}){{1,3}}|(?i:hi|hey|dear) \w+(?: \w+)?"
    r"|(?i:guys|folks|team|friends|colleagues)"
)
_ANNOUNCES: Final = re.compile(
    r"(?:i|we|my|our|let)\b.*\b(?:ask(?:ed|ing|s)?|find out|know|questions?|check|wonder\w*|clarify|understand)\b"
    r"|我.*[问查]",
    re.IGNORECASE,
)
# A whole sentence that begins so speaks to the reader, whatever it says.
_SPEAKS: Final = re.compile(
    r"(?:sorry|thanks|thank you|many thanks|apologies|please|pls|(?:i |we )?(?:really |would )?(?:hope|appreciate)"
    r"|(?:i |we )?look(?:ing)? forward)\b(?:\W+[\w'’]+){0,8}\W*$",
    re.IGNORECASE,
)
_SIGNED: Final = re.compile(
    r"(?P<closing>[^,!.]*\b(?i:thanks?|thank you|regards|cheers|sincerely|best|wishes|hi|hello)\b[^,!.]*)[,!.\s–—-]+"
    rf"{_NAME}(?: {_NAME}){{0,2}}"
)

# Chinese, on simplified characters: by parts of clauses, which need no words told apart.
_COURTEOUS_ZH: Final = (
    "[你您]好|(?:大家|各位|诸位|领导|老师们?|同事们?|早上|上午|中午|下午|晚上)们?好|亲们?|早安|午安|晚安|嗨|嘿|哈[喽啰罗]|在吗|在不在|有人吗"
    "|感谢|谢谢|多谢|谢[了啦过]|感激(?:不尽)?|感恩|辛苦|麻烦|拜托|劳驾|劳烦|费心|有劳"
    "|不好意思|抱歉|对不起|打[扰搅]|冒昧|唐突|见谅|原谅|包涵"
    "|请问|请教|求[助教问]|提问|再问|问一[下句]|咨询|问题|疑问|疑惑|帮我们?|帮忙|帮个忙|解答|回答|回[复覆]|答[复覆]|盼复|望复|指[教点]|新手|小白|菜鸟|在线等|(?:很|比较|挺|有点|非常)急|急用|急(?=急|$)"
    "|知道|告诉我们?|告知"
)
_SMALL_ZH: Final = (
    "非常|十分|万分|特别|真的?|先|提前|再次|一下子?|一些|一个|尽快|尽早|详细|简[要短单]|快速|比较|各位|大家|诸位|前辈们?|大神们?|高手们?|大佬们?|大大|恳请|敬请|烦请|万望|抽空|拨冗|件事|百忙之中|老师们?|同事们?"
    "|领导们?|有人|有没有人|哪位|谁|能否|能不能|可不可以|可否|可以|方便|是否|帮助|支持|耐心|宝贵|时间|指导|这里|这边|现在|今天|明天|最近|刚才|顺便|另外"
    "|不太?懂|不太?清楚|不太?明白|不太?确定|不知道|查询|搜索|查找|查看|[问看查找][问看查找]?|[一个小的了过啦吗嘛呢吧啊呀哦哈我你您们请想要能会很太多给为向跟和对于就是还也又都有来说讲下到事情几两点]"
)
# What a newcomer says, and who has searched in vain.
_PLEA_ZH: Final = (
    "(?:我们?|本人)(?:是|才|就)*(?:(?:上|这|本)个?[周月]|昨天|今天|前天|最近|不久前?)?(?:是|才)?(?:新|刚刚?)"
    "(?:新|刚|来|到|入职|加入|进|毕业|公司|部门|团队|不久|没多久|的|了)*(?:人|员工|同事|实习生|毕业生|新人|小白)?"
    "|(?:对|很多|好多)(?:公司|部门|这里|这边|我们|的|各种|相关|规定|流程|制度|情况|政策|规章|业务|东西|地方|事情?)*"
    "(?:都|还|也)*不(?:太|是很|怎么|大)?(?:了解|熟悉|清楚|懂|明白)"
    "|(?:我|我们|本人)对[这那][个块些里边方面]*(?:都|还|也|完全|真的)*不(?:太|是很|怎么|大)?(?:了解|熟悉?|清楚|懂|明白)"
    "|(?:这|我)?(?:可能|也许|或许)?是一?个?(?:很|比较|非常|特别)?.{1,3}的?小?问题"
    "|我们?(?:也|还|都|是|真的?|有点儿?)*不(?:太|是很|大)?(?:确定|清楚|知道|明白|懂)"
    "|(?:我们?|本人)?(?:已经)?(?:[找查搜翻看]|搜索|查询|查找)(?:了|过).{0,10}"
    "(?:找不到|没找到|没有找到|没查到|没有?答案|没结果)(?:答案)?"
)
_COURTESY_ZH: Final = re.compile(f"(?:{_COURTEOUS_ZH}|{_SMALL_ZH})+|{_PLEA_ZH}")
_COURTEOUS_IN_ZH: Final = re.compile(f"{_COURTEOUS_ZH}|{_PLEA_ZH}")
# jieba's tags of words that name nothing: adjectives, pronouns, adverbs, numbers, measures, particles and the like.
_PARTICLES: Final = frozenset(
    (
        "a",
        "ad",
        "r",
        "d",
        "m",
        "q",
        "mq",
        "y",
        "p",
        "c",
        "e",
        "o",
        "x",
        "u",
        "ud",
        "ug",
        "uj",
        "ul",
        "uv",
        "uz",
        "zg",
    )
)
# Alone they are rather what is asked about.
_TOPICS_ZH: Final = frozenset(("咨询", "问题", "疑问", "回复", "答复", "回答", "解答", "告知"))
_MAY_ASK_ZH: Final = re.compile(
    "多少|几(?![天分秒下个位句])|多[久大长高]|何|什么|啥|哪|怎|咋|是否|如果|要是|假如"
)
_SPEAKS_ZH: Final = frozenset(
    ("谢谢", "感谢", "多谢", "期待", "盼", "盼望", "辛苦", "麻烦", "拜托", "抱歉", "不好意思", "打扰")
)
_SPEAKS_ZH_CHARS: Final = 15
_HAN: Final = re.compile(f"[{HAN}]")
_TALK: Final = frozenset(
    (Talk.GREETING, Talk.WELL_BEING, Talk.THANKS, Talk.FAREWELL, Talk.INTENT, Talk.APPLAUSE, Talk.ASSENT)
)


def is_courtesy(clause: str) -> bool:
    """Whether a clause or sentence, in simplified characters, asks for nothing whatever stands beside it.

    >>> is_courtesy("Sorry to bother you"), is_courtesy("Dear Ms. Lee"), is_courtesy("Sorry cards")
    (True, True, False)
    >>> is_courtesy("不好意思，打扰一下"), is_courtesy("打扰客户的规定")
    (True, False)
    """
    clause = clause.strip(ENDS)
    if _HAN.search(clause):
        parts = [part for part in CLAUSE_END_ZH.split(clause) if part]
        if clause in _TOPICS_ZH:
            return False
        return all(map(_COURTESY_ZH.fullmatch, parts)) and any(map(_COURTEOUS_IN_ZH.search, parts))
    if not clause:
        return True
    if _are_of(clause, _AROUND) and (_is_courteous(clause) or _SEARCHED.match(clause)):
        return True
    if _ADDRESS.fullmatch(clause):
        return True
    signed = _SIGNED.fullmatch(clause) if len(clause) <= 200 else None  # it is not linear
    return bool(signed and is_courtesy(signed["closing"])) or read_talk(clause) in _TALK


def is_padding(clause: str, *, whole: bool = False) -> bool:
    """Whether a clause or sentence, in simplified characters, says next to nothing. `whole`: it is a sentence, which
    may do so without a word of courtesy.

    >>> is_padding("Thanks for the last answer"), is_padding("Pardon my forklift"), is_padding("打扰您几分钟")
    (True, False, True)
    """
    clause = clause.strip(ENDS)
    if _HAN.search(clause):
        rest = _COURTEOUS_IN_ZH.sub(" ", clause)
        words = [(word, kind) for word, kind in rjieba.tag(rest) if re.match(r"\w", word)]
        if clause in _TOPICS_ZH or _MAY_ASK_ZH.search(rest):
            return False
        if rest != clause and all(
            (kind in _PARTICLES and not re.search(r"\d", word)) or _COURTESY_ZH.fullmatch(word)
            for word, kind in words
        ):
            return True
        return whole and len(clause) <= _SPEAKS_ZH_CHARS and rjieba.cut(clause)[0] in _SPEAKS_ZH
    if whole and (_SPEAKS.match(clause) or _are_of(clause, _SAID)):
        return True
    return _is_courteous(clause) and _are_of(clause, _EVERYDAY)


def announces(clause: str) -> bool:
    """Whether a clause before a colon says that a question follows: "I was asked by my boss to find out:"."""
    return bool(_ANNOUNCES.match(clause))


def is_plea(sentence: str) -> bool:
    """Whether a question asks for help and not for anything: "Could you explain something to me?"."""
    return bool(_ASKED_TO_HELP.match(sentence)) and _are_of(sentence, _EVERYDAY)


def _are_of(clause: str, known: frozenset[str]) -> bool:
    words = [word.replace("’", "'").lower() for word in _WORD.findall(clause)]
    return not _NAMES_TOPIC.search(clause) and all(
        word in known or _CONTRACTED.sub("", word) in known for word in words
    )


def _is_courteous(clause: str) -> bool:
    if _CONDITION.match(clause):
        return bool(_POLITE_CONDITION.match(clause))
    return any(word.lower() in _COURTEOUS for word in _WORD.findall(clause))
