"""A question without its courtesy and padding: what is asked, in the words in which it was asked. Pure.

"Hi, could you please tell me: what is X? Thank you!" → "what is X?". A clause is courtesy where all of its words are
words of courtesy (greetings, thanks, apologies, announcements of a question and the small words between them), so that
"Thank you letters" and 感谢信怎么写 stay. Within a clause only a beginning that announces a question is taken off. A
paragraph of circumstances before a question is left out unless the question leans on it. A text of nothing else stays
as it is.
"""

from __future__ import annotations

import re
from itertools import accumulate, islice
from typing import Final

import rjieba

from app.han import HAN
from app.lexicon import fold_script
from app.question.content import content_terms, read_question
from app.question.padding import (
    CALLED,
    CLAUSE_END,
    CLAUSE_END_ZH,
    EDGES,
    ENDS,
    GREETING,
    announces,
    is_courtesy,
    is_padding,
    is_plea,
)
from app.question.talk import read_talk
from app.sentences import split_sentences

_HAN: Final = re.compile(f"[{HAN}]")
_MIXED: Final = re.compile(r"\w")
_CODE_WORD: Final = re.compile(r"[A-Za-z0-9]+(?:[-._/][A-Za-z0-9]+)*")

_ASKING: Final = (
    r"(?:what|who|whom|whose|when|where|which|why|how|is|are|was|were|do|does|did|can|could|may|should|must|will|would|has"
    r"|have|if|whether|i|i'm|we|please|kindly|sorry|excuse|quick|just|any|list|show|tell|explain|give|summari[sz]e|compare)\b"
)
# What stands before an asking word: "Hi what is X", "so, where"; in front of anything else it may be what is asked.
_FILLER: Final = re.compile(
    rf"(?:(?:please|pls|kindly|um+|hm+|btw|by the way)\b[ ,:]*"
    rf"|(?:{GREETING}(?: {CALLED})?|ok(?:ay)?|so|well|now|and|but|also|anyway|right|alright|actually)"
    rf"(?:\s*[,:–—]\s*|\s+(?={_ASKING})))",
    re.IGNORECASE,
)
_FOLLOWS: Final = (
    r"(?=\s*[,:;–—]|\s+(?:about|what|who|whom|whose|when|where|which|why|how|if|whether|the following)\b)"
)
_YOU: Final = r"(?:you|u|anyone|anybody|someone|somebody|one of you|any of you)"
_KINDLY: Final = (
    r"(?: (?:please|kindly|possibly|perhaps|maybe|just|quickly|also|be (?:so |very )?(?:kind|nice|good)"
    r"(?: enough)?(?: as)? to|be able to|help me(?: to)?|help us(?: to)?|happen to|by (?:any )?chance)){0,6}"
)
_WANT: Final = r"(?:(?:would|'d) )?(?:(?:really|just|also|only) )?(?:like|want|wanted|need|needed|wish|love)"
# Beginnings that announce a question; what follows is asked.
_OPENER: Final = re.compile(
    r"\b(?:"
    r"(?:(?:i|we)(?:'d| would)|it(?:'d| would)(?: be)?|that would be)(?: \w+){1,4}? if (?=you |someone |anyone )|"
    rf"(?:(?:can|could|would|will|may|might) {_YOU}{_KINDLY} |{_YOU} (?:can|could|would|might){_KINDLY} "
    r"|(?:please |kindly |just ){0,6})"
    r"(?:tell|inform|advise|remind|let) (?:me|us)(?: know)?(?: please)?"
    rf"|(?:can|could|may|might) (?:i|we)(?: please| just| quickly)? (?:ask|know)(?: you)?{_FOLLOWS}"
    r"|(?:(?:i|we)(?:'m| am|'re| are| was| were|'ve been| have been)? )?(?:just |also |really |simply ){0,6}"
    rf"(?:wonder(?:ing|ed)?|curious)(?: to know)?{_FOLLOWS}"
    rf"|(?:i|we) ?{_WANT} to (?:know|find out)(?: from you)?"
    rf"|(?:i|we) ?{_WANT} to (?:ask|learn|understand|check|confirm|clarify)(?: you)?{_FOLLOWS}"
    rf"|(?:do|would|does) {_YOU}{_KINDLY} know"
    rf"|any (?:idea|clue|chance (?:you|anyone|someone) knows?){_FOLLOWS}"
    r"|(?:my|the|one|another|(?:i|we)(?:'ve| have)?(?: got)? (?:a|one|another)|a|quick)(?: \w+){0,2} questions?"
    r"(?: (?:is|would be|for you)(?= )| (?:about|on|regarding|concerning)(?= )|(?=:))"
    r"|(?:what|all) (?:i|we) (?:want|need|would like)(?: to know)? is"
    r"|would you mind (?:telling me|letting me know|explaining)"
    rf"|(?:(?:i|we)(?: am|'m| are|'re)? )?(?:not|un)(?: \w+)? ?(?:sure|certain|clear){_FOLLOWS}"
    rf"|(?:i|we)(?: do not| don't) know{_FOLLOWS}"
    rf"|(?:i|we)(?: am|'m| are|'re) trying to (?:find out|figure out|understand|work out){_FOLLOWS}"
    rf"|please (?:answer|help me (?:to )?(?:find|understand)){_FOLLOWS}"
    r")(?: about it)?[ ,:;–—-]*(?:the following(?: question)?[ ,:.]*)?(?:(?:if|whether|about)\b )?",
    re.IGNORECASE,
)
_CLOSER: Final = re.compile(
    r"(?:[ ,.!?–—-]{0,20}[,.!?–—-] {0,20}|(?<!\ba)(?<!\bthe)(?<!\bmy)(?<!\bour)(?<!\bsay)(?<!\bof)(?<!\bwrite)"
    r"(?<!\bsend) {1,20})"
    r"(?:please|thanks|thank you|thx|pls|plz|cheers)(?: (?:a lot|very much|so much|in advance|again|you))*[ !.?]*$",
    re.IGNORECASE,
)
_CLAUSE_BORDER: Final = re.compile(
    r"[,:;–—(]\s*(?:(?:and|but|so)\s+)?|\s(?:and|but|so|then|because)\s+", re.IGNORECASE
)
_STATES: Final = re.compile(r"\b(?:i|we|my|our)\b|我|本人", re.IGNORECASE)

_SELF: Final = "(?:我们?|本人|咱们?)"
_ADVERBS: Final = "(?:就|只|还|也|现在|很|特别|主要|是|先|再|顺便|另外|有点){0,6}"
_LOOK_ZH: Final = (
    "(?:请问|请教|咨询|知道|了解|查询|查找|查看|查阅|搜索|检索|打听|确认|[弄搞](?:清楚?|明白)|问问|查查|看看|找找|听听"
    "|[问查找看搜])"
)
_TELL_ZH: Final = "(?:告诉|告知|说明|回答|解答|提示|指点|科普|说|讲)"
_CAN_ZH: Final = "(?:能否|能不能|可否|可不可以|可以|方便|是否|能){0,6}"
_WHO_ZH: Final = "(?:[您你]们?|谁|哪位|有人|有没有人|各位|大家)?"
_FOR_ME_ZH: Final = "(?:帮忙|[帮给替](?:我们?|个?忙|一下)|[跟和向]我们?)"
_OPENER_ZH: Final = re.compile(
    "(?:"
    f"{_SELF}?{_ADVERBS}(?:想要?|希望)(?:能|再|先|跟您?|向您?|和您?|[跟向和](?:你|大家|各位)){{0,6}}{_LOOK_ZH}"
    f"|{_SELF}{_ADVERBS}(?:需?要)(?:问|请教|咨询|知道)"
    f"|{_CAN_ZH}(?:请|麻烦|劳驾|劳烦|拜托|烦请|有劳|敬请|恳请){{1,6}}{_WHO_ZH}{_CAN_ZH}(?:直接|尽快|先)?{_FOR_ME_ZH}{{0,6}}(?:{_LOOK_ZH}|{_TELL_ZH})"
    f"|{_CAN_ZH}{_WHO_ZH}{_CAN_ZH}{_FOR_ME_ZH}{{1,6}}(?:{_LOOK_ZH}|{_TELL_ZH})"
    f"|{_CAN_ZH}{_WHO_ZH}{_CAN_ZH}(?:告诉|告知)(?=我)"
    "|(?:能否|能不能|可否|可不可以)[您你]?告知(?=.{0,200}(?:[几哪谁怎何吗多]|什么|是否))"
    "|[^，,。]{1,6}[让叫托]我来?(?:帮忙|帮)?(?:问|查|确认|咨询)"
    "|(?:冒昧|顺便|再|还想)?(?:请问|请教)"
    f"|(?:[您你]们?|大家|各位|有没有人|有人|谁|哪位)(?:能|可以)?(?:知不知道|知道)"
    "|(?:我的|有个?|有一个|一个)?(?:小|简单的?)?(?:问题|疑问)(?:是(?!什么|否|谁|哪|怎)|(?=[:：]))"
    ")"
    "(?:看看|看|到)?"
    "(?P<whole>(?:一?下子?)?"
    "(?:我们?|[您你]们?|大家|各位(?:前辈|老师|同事|领导)?)?(?:一?下)?(?:的是)?[ ，,：:、]*)(?!的)"
)
_CLOSER_ZH: Final = re.compile(
    "(?<![说写道示致喊])(?:非常|十分|多|太)?(?:谢谢|多谢|感谢|麻烦|拜托|辛苦)(?:你|您|大家|各位)?(?:了|啦|啊)?$"
)

_LEANS: Final = re.compile(
    r"\b(?:it|its|they|them|their|this|these|those(?! (?:from|of|who|that|which|in|with)\b)|he|him|his|she|her)\b"
    r"(?<!\b(?:is|as) it(?= \w{1,15} (?:to|for|that)\b))|[它他她]们?|[这這]|该(?=[产设文制合规公])",
    re.IGNORECASE,
)
MOST_LEANING_TERMS: Final = 2  # content terms: a question with a pronoun and no more of them says too little
MOST_CLAUSES: Final = (
    4  # at either end of a sentence are taken together: "Many thanks, and kind regards, Tom"
)
_HALVES: Final = re.compile(r"(?<=[;；])")
LONG_SENTENCE: Final = 120  # characters: of a longer sentence the parts between semicolons count as sentences
CIRCUMSTANCES: Final = 40  # letters: less beside a question may belong to it
_HAN_LETTERS: Final = 2.5  # letters that a Chinese character counts as
_ASKS_PLAINLY: Final = re.compile(
    r"[?？]|^\W*(?:list|show|name|give|explain|describe|compare|summari[sz]e|find|count|write|translate)\b"
    r"|^\W*(?:列出|总结|介绍|解释|比较)",
    re.IGNORECASE,
)
_ASKS: Final = re.compile(
    r"[?？]|^\W*(?:what|who|whom|whose|when|where|which|why|how|is|are|was|were|do|does|did|can|could|may|must|should|will"
    r"|would|has|have|am|list|show|name|give|explain|describe|compare|summari[sz]e|find|count|tell|define|write|translate)\b"
    r"|\b(?:what|who|when|where|which|why|how (?:much|many|long|often|do|does|to|is|are|can)) "
    r"|什么|甚么|多少|哪|谁|怎么|怎样|如何|为何|为什么|几|吗|呢|是否|能否|可否|多久|多长|多大|多高|何时"
    r"|列出|总结|介绍|解释|说明|比较|有没有",
    re.IGNORECASE,
)


def bare_question(text: str) -> str:
    """What is asked, without greeting, thanks, phrases that only announce a question, and circumstances before it.

    >>> bare_question("Hi, could you please tell me: what does E-107 mean? Thank you very much!")
    'what does E-107 mean?'
    >>> bare_question("您好，请问婚假多少天？谢谢！")
    '婚假多少天？'
    >>> bare_question("Thanks!")
    'Thanks!'
    """
    if read_talk(text) is not None:
        return text.strip()
    sentences = [(bare, sentence) for sentence in _sentences(text) if (bare := _bare_sentence(sentence))]
    kept = [bare for bare, _ in sentences]
    asking = [bare for bare in kept if _ASKS_PLAINLY.search(fold_script(bare)) and not is_plea(bare)]
    asking = asking or [bare for bare in kept if _ASKS.search(fold_script(bare))]
    question = " ".join(asking)
    if not asking or len(asking) == len(kept) or _needs_more(question):
        return _join(kept) or text.strip()
    beside = [(bare, sentence) for bare, sentence in sentences if bare not in asking]
    if sum(_letters(sentence) for _, sentence in beside) >= CIRCUMSTANCES:
        named = [] if read_question(question).codes else [code for bare, _ in beside for code in _codes(bare)]
        return f"{', '.join(dict.fromkeys(named))}: {question}" if named else _join(asking)
    idle = [bare for bare, _ in beside if is_plea(bare) or is_padding(fold_script(bare), whole=True)]
    return _join([bare for bare in kept if bare not in idle])


def _codes(sentence: str) -> list[str]:
    """The codes that a sentence names, as they are written: what is asked is asked of them."""
    return [word for word in _CODE_WORD.findall(sentence) if read_question(word).codes]


def _join(sentences: list[str]) -> str:
    """Different sentences, with a blank between those that Chinese punctuation does not part."""
    return re.sub(f"(?<=[。！？]) (?=[{HAN}])", "", " ".join(dict.fromkeys(sentences)))


def _needs_more(question: str) -> bool:
    """Whether a question says too little without what stands before it: next to nothing, or of "it"."""
    content = content_terms(question)
    pronoun = _LEANS.search(question)
    return not content or bool(
        pronoun and (len(content) <= MOST_LEANING_TERMS or not content_terms(question[: pronoun.start()]))
    )


def _letters(sentence: str) -> float:
    return len(sentence) + (_HAN_LETTERS - 1) * len(_HAN.findall(sentence))


def _sentences(text: str) -> list[str]:
    parts: list[str] = []
    for start, end in split_sentences(text):
        sentence = text[start:end]
        parts += _HALVES.split(sentence) if len(sentence) > LONG_SENTENCE else [sentence]
    return [part.strip() for part in parts if _MIXED.search(part)]


def _bare_sentence(sentence: str) -> str:
    """A sentence without what asks for nothing, "" where that is all of it."""
    folded = fold_script(sentence).replace("’", "'")
    if is_courtesy(folded):
        return ""
    chinese = bool(_HAN.search(folded))
    start = _skip_beginning(folded, 0, chinese=chinese)
    end = _skip_end(folded, start, chinese=chinese)
    opener = _last_opener(folded, start, end, chinese=chinese)
    if opener is not None:
        before, rest = folded[start : opener[0]], folded[opener[1] : end]
        states = _STATES.search(folded, 0, opener[0])
        if states and _letters(before) >= CIRCUMSTANCES and not _needs_more(rest):
            start = opener[1]
        else:
            return _closed(sentence, sentence[start : opener[0]] + sentence[opener[1] : end])
    return _closed(sentence, sentence[start:end])


def _closed(sentence: str, rest: str) -> str:
    """What is left of a sentence, with its question mark."""
    bare = rest.strip(EDGES)
    mark = next((mark for mark in "?？" if mark in sentence and not re.search(r"[?？]", bare)), "")
    return bare.rstrip(" .。!！~～") + mark if mark and _MIXED.search(bare) else bare


def _skip_beginning(folded: str, start: int, *, chinese: bool) -> int:
    """Where a sentence begins after clauses of courtesy and beginnings that announce a question."""
    while True:
        clauses = [
            (border.end(), folded[start : border.start()], folded[border.end() :], border.group())
            for border in islice(
                (CLAUSE_END_ZH if chinese else CLAUSE_END).finditer(folded, start), MOST_CLAUSES
            )
        ]
        at = next((end for end, clause, *_ in clauses if is_courtesy(clause)), None)
        if at is None and (filler := _FILLER.match(folded, start)):
            at = filler.end()
        if at is None:
            at = _opener_at(folded, start, chinese=chinese)
        if at is None:
            at = next(
                (
                    end
                    for end, clause, rest, mark in clauses
                    if _may_go(clause, rest, announced=mark.strip() in (":", "："))
                ),
                None,
            )
        if at is None or not _MIXED.search(folded[at:].strip("一下吗呢吧")):
            return start
        start = at


def _may_go(clause: str, rest: str, *, announced: bool = False) -> bool:
    """Whether a clause may be left out beside the rest of its sentence, which may be `announced` by a colon."""
    if is_courtesy(clause):
        return True
    return (is_padding(clause) or (announced and announces(clause))) and not _needs_more(rest)


def _skip_end(folded: str, start: int, *, chinese: bool) -> int:
    """Where a sentence ends before clauses of courtesy."""
    end = len(folded)
    ends = CLAUSE_END_ZH if chinese else CLAUSE_END
    while True:
        rest = folded[start:end].rstrip(ENDS)
        closer = (_CLOSER_ZH if chinese else _CLOSER).search(rest)
        cut = closer.start() if closer else None
        if cut is None:
            borders = [found.span() for found in ends.finditer(rest)][-MOST_CLAUSES:]
            cut = next((at for at, end in borders if _may_go(rest[end:], rest[:at])), None)
        if cut is None or not _MIXED.search(rest[:cut]):
            return end
        end = start + cut


def _last_opener(folded: str, start: int, end: int, *, chinese: bool) -> tuple[int, int] | None:
    """The last beginning of a clause within [start, end) that announces a question."""
    ends = CLAUSE_END_ZH if chinese else _CLAUSE_BORDER
    found = None
    for border in ends.finditer(folded, start, end):
        after = _opener_at(folded, border.end(), chinese=chinese)
        if after is not None and _MIXED.search(folded[after:end].strip("一下吗呢吧")):
            found = border.end(), after
    return found


def _opener_at(folded: str, start: int, *, chinese: bool) -> int | None:
    """The end of what announces a question at `start`; in Chinese it ends where a word does."""
    found = (_OPENER_ZH if chinese else _OPENER).match(folded, start)
    if found is None or not chinese or found["whole"]:
        return found.end() if found else None
    borders = accumulate(map(len, rjieba.cut(folded[start:], hmm=False)), initial=start)
    return found.end() if found.end() in set(borders) else None
