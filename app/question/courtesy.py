"""A question without its courtesy and padding: what is asked, in the words in which it was asked. Pure.

"Hi, could you please tell me: what is X? Thank you!" → "What is X?", and a paragraph of circumstances before a question
is left out. Only whole phrases that ask for nothing by themselves are taken away, at the borders of sentences and
clauses; a text of nothing else stays as it is.
"""

from __future__ import annotations

import re
from typing import Final

from app.sentences import split_sentences

# Sentences that ask for nothing, whole.
_IDLE: Final = re.compile(
    r"(?:"
    # greetings and names
    r"(?:hi|hello|hey|dear|good (?:morning|afternoon|evening|day)|greetings)\b(?: (?:there|all|everyone|team"
    r"|again|[A-Z]\w+))*"
    r"|(?:many |much )?thank(?:s| you)\b.{0,60}|cheers|(?:kind|best|warm)? ?regards\b.{0,40}|bye\b.{0,20}"
    r"|(?:sorry|excuse me|pardon)\b.{0,40}"
    # announcements of a question
    r"|i (?:just )?(?:have|had|'ve got) (?:a|one|another|the following|this) (?:\w+ )?question\b.{0,40}"
    r"|(?:a )?(?:quick|short|small|simple|another|one more) question\b.{0,30}"
    r"|i(?: would|'d)? (?:like|want|need|wish) to (?:know|ask|find out)(?: the following| something)?"
    r"|(?:can|could|would|will) you (?:please |kindly )?(?:help|assist) me(?: with (?:this|that|something"
    r"|a question))?(?: please)?"
    r"|(?:please )?help(?: me)?(?: please)?|please"
    # how to answer
    r"|(?:please )?(?:answer|reply|respond|be)(?: \w+)? ?(?:precise|precisely|brief|briefly|short|shortly"
    r"|concise|concisely|clearly"
    r"|in detail|in one sentence|in short|accurate|accurately|honestly|truthfully)?"
    r"|(?:it(?:'s| is) )?(?:urgent|important)|(?:any|all) help (?:is|would be) (?:welcome|appreciated|great).{0,20}"
    r"|(?:i )?(?:appreciate|hope|look forward)\b.{0,60}"
    r")",
    re.IGNORECASE,
)
_IDLE_ZH: Final = re.compile(
    r"(?:你好|您好|大家好|嗨|哈[喽啰]|早上好|上午好|下午好|晚上好|早安|各位好)(?:[呀啊哦])?"
    r"|(?:非常|十分|多|太)?(?:感谢|谢谢|谢了|多谢)(?:你|您|大家|各位|了|啦)*(?:的.{0,6})?|麻烦(?:你|您)?了?|辛苦(?:你|您)?了|拜托了?"
    r"|不好意思|打扰(?:一下|了|您了)?|抱歉|劳驾|(?:我)?(?:想|有)?(?:个|一个|些)?(?:问题|事情?)(?:想)?(?:请教|问|咨询)?(?:一下)?(?:你|您)?"
    r"|急|在吗|请(?:尽快|详细|简要|简单|准确)?(?:回答|回复|答复)"
)
# Phrases in front of a question within its sentence; what follows is asked.
_OPENER: Final = re.compile(
    r"\b(?:"
    r"(?:can|could|would|will|may|might)(?: you| anyone| someone| somebody)?(?: please| kindly| possibly)*"
    r" (?:tell|inform|advise|remind|let) (?:me|us)(?: know)?(?: please)?"
    r"|(?:can|could|may|might) i (?:please )?(?:ask|know)(?: you)?"
    r"|(?:please |kindly |just )*(?:tell|inform|remind|let) (?:me|us)(?: know)?(?: please)?"
    r"|(?:i|we)(?:'m| am| are|'re)? (?:just )?(?:wonder(?:ing)?|curious)(?: to know)?"
    r"|(?:i|we) was (?:just )?wondering"
    r"|(?:i|we)(?: would|'d)?(?: really| just)? (?:like|want|need|wish|love) to (?:know|ask|find out|learn"
    r"|understand)(?: from you)?"
    r"|(?:do|would|does) (?:you|anyone|anybody|someone|somebody)(?: happen to| perhaps| maybe| by chance)? know"
    r"|any (?:idea|chance you know)"
    r"|my question is|the question is|(?:what|all) (?:i|we) (?:want|need|would like) to know is"
    r"|would you mind (?:telling me|letting me know)"
    r"|please (?:answer|help me (?:to )?(?:find|understand))"
    r")\b(?: about it)?[ ,:;–—-]*(?:the following(?: question)?[ ,:.]*)?",
    re.IGNORECASE,
)
_OPENER_ZH: Final = re.compile(
    r"(?:(?:我|我们|本人|俺)?(?:就是|现在|还|很|也)?(?:想|要|希望)(?:请问|知道|问|了解|咨询|请教|查|查询|确认|弄清楚|打听|搞清楚)(?:一?下|下)?(?:您|你|各位|大家)?"
    r"|请问(?:一下|下)?(?:各位|大家|您|你)?|请教(?:一下|下)?(?:各位|大家|您|你)?"
    r"|(?:请|麻烦|劳驾|拜托|能不能|能否|可不可以|可以|可否|方便)*(?:你|您|谁|大家)?(?:请|能|能够|可以|能不能|能否)?"
    r"(?:帮|给|替)(?:我|我们|忙)?(?:查|找|看|问|搜|查询|确认|解答|回答|说|讲)(?:查|找|看)?(?:一?下|下)?"
    r"|(?:请|麻烦|劳驾|拜托|能不能|能否|可不可以|可以|可否|方便)+(?:你|您|谁|大家)?(?:请|能|可以)?(?:直接|尽快)?(?:告诉|告知|说明|回答|解答|提示)(?:一?下)?(?:我|我们)?(?:一?下)?"
    r"|告诉我(?:一下)?|你?知不?知道|有(?:没有)?人知道(?:吗)?|谁知道|我的问题是|问题是)"
    r"[ ，,：:、]*"
)
_CLOSER_ZH: Final = re.compile(
    r"[ ，,。！!？?]*(?:谢谢|多谢|感谢|麻烦|拜托|辛苦)(?:你|您|大家|各位)?(?:了|啦|啊)?[ ，,。！!~～]*$"
)
_CLOSER: Final = re.compile(
    r"[ ,.!?–—-]*\b(?:(?:please|thanks|thank you|thx|pls|cheers)(?: (?:a lot|very much|so much|in advance"
    r"|again|you))*)[ !.]*$",
    re.IGNORECASE,
)
_PLEASE: Final = re.compile(r"^(?:please|kindly|pls|so|well|ok(?:ay)?|um+|hm+|now)\b[ ,:]*", re.IGNORECASE)
_GREETING: Final = re.compile(
    r"^(?:hi|hello|hey|dear|good (?:morning|afternoon|evening|day))\b(?: (?:there|all|everyone|team"
    r"|again))*[ ,!:.–—-]+",
    re.IGNORECASE,
)
_GREETING_ZH: Final = re.compile(
    r"^(?:你好|您好|嗨|哈[喽啰]|早上好|下午好|晚上好|大家好|不好意思|打扰一?下|劳驾)[呀啊]?[ ，,。！!：:~～]+"
)

_HALVES: Final = re.compile(r"(?<=[;；])")
LONG_SENTENCE: Final = 120  # characters: of a longer sentence the parts between semicolons count as sentences
_LEANS: Final = re.compile(
    r"\b(?:it|its|they|them|their|this|these|those)\b|[它他她]们?|这|這|该", re.IGNORECASE
)
CIRCUMSTANCES: Final = 40  # characters: a shorter sentence beside a question may belong to it
_ASKS_PLAINLY: Final = re.compile(
    r"[?？]|^\W*(?:list|show|name|give|explain|describe|compare|summari[sz]e|find|count|write|translate)\b"
    r"|^\W*(?:列出|总结|總結|介绍|介紹|解释|比较|比較)",
    re.IGNORECASE,
)
_ASKS: Final = re.compile(
    r"[?？]|^\W*(?:what|who|whom|whose|when|where|which|why|how|is|are|was|were|do|does|did|can|could|may|must|should|will"
    r"|would|has|have|am|list|show|name|give|explain|describe|compare|summari[sz]e|find|count|tell|define|write|translate)\b"
    r"|\b(?:what|who|when|where|which|why|how (?:much|many|long|often|do|does|to|is|are|can)) "
    r"|什么|甚麼|什麼|多少|哪|谁|誰|怎么|怎麼|怎样|怎樣|如何|为何|為何|为什么|為什麼|几|幾|吗|嗎|呢|是否|能否|可否|多久|多长|多大|多高|何时"
    r"|列出|总结|總結|介绍|介紹|解释|說明|比较|比較|有没有|有沒有",
    re.IGNORECASE,
)
_HAN: Final = re.compile(r"[㐀-鿿]")
_MIXED: Final = re.compile(r"[\w㐀-鿿]")


def bare_question(text: str) -> str:
    """What is asked, without greeting, thanks, phrases that only announce a question, and circumstances before it.

    >>> bare_question("Hi, could you please tell me: what does E-107 mean? Thank you very much!")
    'what does E-107 mean?'
    >>> bare_question("您好，请问婚假多少天？谢谢！")
    '婚假多少天？'
    >>> bare_question("Thanks!")
    'Thanks!'
    """
    kept = [bare for sentence in _sentences(text) if (bare := _bare_sentence(sentence))]
    asking = [sentence for sentence in kept if _ASKS_PLAINLY.search(sentence)]
    asking = asking or [sentence for sentence in kept if _ASKS.search(sentence)]
    asking = [sentence for sentence in kept if sentence in asking or len(sentence) < CIRCUMSTANCES]
    if len(asking) < len(kept) and any(_LEANS.search(sentence) for sentence in asking):
        asking = kept  # "… has two layers below it. What are they?"
    return " ".join(dict.fromkeys(asking or kept)) or text.strip()


def _sentences(text: str) -> list[str]:
    parts: list[str] = []
    for start, end in split_sentences(text):
        sentence = text[start:end]
        parts += _HALVES.split(sentence) if len(sentence) > LONG_SENTENCE else [sentence]
    return [part.strip() for part in parts if _MIXED.search(part)]


def _bare_sentence(sentence: str) -> str:
    """A sentence without what asks for nothing, "" where that is all of it."""
    if _HAN.search(sentence):
        return _bare_chinese(sentence)
    rest = sentence
    while True:
        shorter = _PLEASE.sub("", _GREETING.sub("", rest))
        shorter = _CLOSER.sub(_mark(shorter), shorter)
        if shorter == rest:
            break
        rest = shorter
    if not _MIXED.search(rest) or _IDLE.fullmatch(rest.strip(" ,.!?:;–—-")):
        return ""
    openers = [
        found
        for found in _OPENER.finditer(rest)
        if _MIXED.search(rest[found.end() :]) and _begins(rest, found.start())
    ]
    if openers:
        rest = rest[openers[-1].end() :]
        rest = _CLOSER.sub(_mark(rest), rest)
        if _IDLE.fullmatch(rest.strip(" ,.!?:;–—-")):
            return ""
    return rest.strip(" ,:;–—-")


def _mark(sentence: str) -> str:
    """The question mark that stood before or after what is taken from a sentence's end."""
    return "?" if "?" in sentence[-30:] else ""


def _begins(sentence: str, at: int) -> bool:
    """Whether a clause begins at `at`: after a comma, a colon, a dash or "and", or at the start."""
    before = sentence[:at].rstrip()
    return (
        not before
        or before[-1] in ",:;–—-("
        or bool(re.search(r"\b(?:and|but|so|then|because)$", before, re.I))
    )


def _bare_chinese(sentence: str) -> str:
    rest = sentence
    while True:
        shorter = _GREETING_ZH.sub("", rest)
        shorter = _CLOSER_ZH.sub("？" if re.search(r"[？?][^？?]{0,12}$", shorter) else "", shorter)
        if shorter == rest:
            break
        rest = shorter
    if not _MIXED.search(rest) or _IDLE_ZH.fullmatch(rest.strip(" ，,。！!？?：:；;~～、")):
        return ""
    openers = [
        found
        for found in _OPENER_ZH.finditer(rest)
        if _MIXED.search(rest[found.end() :].strip("一下吗呢吧")) and _starts_clause(rest, found.start())
    ]
    if openers:
        rest = rest[openers[-1].end() :]
    clauses = re.split(r"[，,]", rest)
    while len(clauses) > 1 and _IDLE_ZH.fullmatch(clauses[0].strip()):
        rest = rest[len(clauses.pop(0)) + 1 :]
    return rest.strip(" ，,：:；;、")


def _starts_clause(sentence: str, at: int) -> bool:
    before = sentence[:at].rstrip()
    return (
        not before
        or before[-1] in "，,。：:；;！!？?、 （("
        or before.endswith(("所以", "但是", "因此", "然后", "就", "还"))
    )
