"""A follow-up question → a question that stands alone, by rule; pure. Used where no model does it (rewrite.py).

A question that can be answered alone is asked alone, so a word that points back counts only where it must: before the
question has named anything itself ("How often is it calibrated?", 它的价格是多少？), or where the question is nothing
but a turn of phrase ("What about the TK-120?", GW-7呢？, "Why?"). One that names another thing keeps what was asked and
puts the thing in the place of one of its kind (replacing.py); "Is the LX-300 better?" asks for the difference of both;
anything else that leans is put behind the question before it, up to MAX_STEPS of them where those lean as well. Whether
a question that does not lean finds anything is known only after the search: `join` is for those that found nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import rjieba

from app.domain import ChatTurn
from app.han import HAN
from app.lexicon import fold_script, is_chinese
from app.question.content import content_terms, read_question
from app.question.replacing import is_name, replace_thing
from app.question.talk import corrected, earlier_questions

MAX_CHARS: Final = 8_000
MAX_STEPS: Final = 3  # questions before this one that may be put before it
_BY: Final = r"(?:in|for|at|on|with|without|from|to|by|under|over|during|after|before|of|as)"
_NOT_ASKED: Final = (
    r"(?!.*\b(?:how|what|when|who|whom|whose|why|where|which|is|are|was|were|do|does|did|can|could|may|must|should|will"
    r"|would|has|have|its|it|their|they|them|his|her|he|she|this|that|these|those)\b)"
)
_NAMES_ANOTHER: Final = re.compile(
    r"^\W*(?:(?:and|but|ok(?:ay)?|so)\b[ ,]*+)?(?:what|how) about (?P<about>.*[^?.! \n]|.)[?.! ]*$"
    rf"|^\W*(?:and|but)\b[ ,]*+{_NOT_ASKED}(?P<and>[^?.!]*[^?.! \n]|[^?.!])[?.! ]*$"
    rf"|^\W*+{_NOT_ASKED}(?P<by>{_BY} (?:the |a )?[^ ?.!]+(?: [^ ?.!]+){{0,2}})[? ]*$"
    r"|^\W*(?:(?:那么?|还有|以及|如果是|要是|换成|改成|而)[，, ]?)*(?P<zh>.{1,20}?)(?:的话)?呢[？?。 ]*$"
    r"|^\W*那么?[，, ]?(?P<then>(?:(?!怎|什么|多|哪|如何|为|吗|[，。？?的谁几])[㐀-鿿\w-]){1,8})[？?]$",
    re.IGNORECASE,
)
_DEGREE: Final = (
    r"(?:(?:any |much |also |even )?(?:better|worse|cheaper|dearer|pricier|faster|slower|higher|lower|larger|bigger"
    r"|smaller|longer|shorter|heavier|lighter|stronger|weaker|stricter|earlier|later|older|newer|safer|quicker|easier"
    r"|harder|wider|deeper|further|farther|closer|brighter|louder|quieter|warmer|colder|thicker|thinner|richer|poorer"
    r"|(?:more|less|fewer)(?: \w+)?|different|the same|equally \w+|as \w+))"
)
# "Is the LX-300 better?", "Does the Plus cost more?", "Is it higher in Belgium?", 和E-60比呢？, E-60更远吗？
_COMPARES: Final = re.compile(
    r"^\W*(?:(?:and|but|so|ok)\b[ ,]*)?(?:is|are|was|does|do|has|have|would|will|can)(?:n't)?"
    r"(?P<subject>(?: [^ ?]+){1,4}?)"
    rf"(?: \w+)?? {_DEGREE}(?P<tail>(?: {_BY}(?: [^ ?]+){{1,4}})?)[?. ]*$"
    r"|^\W*(?:and |but )?(?:how does (?:it|that|this) )?(?:compared? (?:it |that )?(?:to|with)|versus|vs\.?|against)"
    r" (?P<to>.{2,40}?)[?. ]*$"
    r"|^\W*(?:那么?)?(?:跟|和|与|比|比起|相比)(?P<with>.{1,20}?)(?:比较起来|比起来|相比|比较|对比|比)?(?:呢|怎么样|如何|有什么区别|有何区别)?[？?]*$"
    r"|^\W*(?:那么?)?(?P<zh>(?:(?!什么|哪|谁|多少|如何|怎).){1,20}?)(?:是不是|会不会|会|是)?(?:更|比较)[㐀-鿿]{1,4}[吗呢][？?]*$",
    re.IGNORECASE,
)
_PRONOUN_ALONE: Final = re.compile(
    r"^\W*(?:it|they|that|this|these|those|he|she|there|它们?|这个?|那个?)?\W*$", re.IGNORECASE
)
_WHY: Final = re.compile(
    r"^\W*+(?:(?:and|but|so)\W*+)?(?:why|how so|how come)\b|^\W*(?:那|但是?)?(?:为什么|为何|为啥|怎么会|什么原因)",
    re.IGNORECASE,
)
_TURN_OF_PHRASE: Final = re.compile(
    r"^\W*+(?:(?:and|but|so|then|also)\W*+)?(?:why(?: \w+){0,3}|how so|how come|since when|until when|for how long"
    r"|by whom|who|when|where|how much"
    r"|how many|how long|how often|really|(?:no[, ]+)?i mean(?:t)? (?:the )?\w+(?: \w+)?)\W*$"
    r"|^\W*(?:那)?(?:为什么|为何|怎么会|什么时候(?:开始|结束|生效)?|从什么时候开始|到什么时候|多久|多少钱"
    r"|在哪里?|谁|几[点天个]|为什么.{1,4}|还有(?:别的|其他|其它).{0,8})[？?。 ]*$",
    re.IGNORECASE,
)
_PRONOUN: Final = re.compile(
    r"\b(?:it|its|they|them|their|theirs|he|him|his|she|her|hers|this one|that one|these ones?|those ones?"
    r"|which one|the (?:former|latter)"
    r"|the same)\b(?! (?:true|possible|allowed|okay|ok|right|correct|necessary|necessary|worth)\b)"
    r"|[它他她]们?(?=[的是在有能会要可多什哪怎为对])|(?:该|这个|那个|这种|那种|这款|那款)(?:产品|设备|型号|文件|制度|合同|规定)|上述|前者|后者|其(?=[价质保重尺交期])"
    r"|^[^，。？]{1,6}的(?=[在能会要可有])(?=.{0,6}[几哪什])",
    re.IGNORECASE,
)
_ANY_PRONOUN: Final = re.compile(
    r"\b(?:it|they|them|that|this|those|these|he|him|she|her)\b(?! (?:true|possible|okay|ok|right|correct|necessary)\b)"
    r"(?! (?:year|month|week|day|quarter|morning|evening|document|file|collection|page)\b)|[它他她]们?",
    re.IGNORECASE,
)
# "it" that points to nothing: "How long does it take Ann to answer?", "Why is it hard to say …?"
_EXPLETIVE: Final = re.compile(
    r"\bit (?=(?:take|takes|took|taken|cost|costs)\b.{3,}\bto\b)"
    r"|\bit (?=(?:(?:is|was|be|has been) )?(?:\w+ly |now )?(?:difficult|hard|harder|easy|easier|important|essential"
    r"|necessary|possible|impossible|common|useful|called|estimated|assumed|believed|said|known|thought|considered"
    r"|true|likely|legal|illegal|safe|dangerous|expected) (?:\w+ ){0,3}?(?:to|that|when|if|for)\b)",
    re.IGNORECASE,
)
_SUBJECTLESS: Final = re.compile(r"^[^，。]{0,10}(?:吗|谁|多久|多少钱?|几点|什么时候|何时)")
_ASKED: Final = re.compile(
    r"吗|呢|谁|多久|多少钱?|几[点天次]|什么时候|何时"
    r"|[由要是可能得会被给让]|可以|需要|必须|最[长多少晚早快]|至少|一般|通常|[？?。！! ]"
)
_HAN: Final = re.compile(f"[{HAN}]")
MOST_LEANING_TERMS: Final = 2
_TRAILING_THEN: Final = re.compile(r"\bthen\W*$", re.IGNORECASE)  # "Who do I call then?"
_LEADING_AND: Final = re.compile(
    r"^\W*(?:and|but)\b(?! (?:what|how) about)|^\W*(?:还有|另外|然后|所以)", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Standalone:
    """A question as it is searched for.

    `form` is the part that tells what kind of answer is wanted. `about` is the thing that a follow-up put in the place
    of another ("" for none): what answers tells of it; `is_name` where it is called by a name, so that what lacks the
    name tells of something else. `wants_reason`: it asks why what was said before is so.
    """

    text: str
    form: str
    about: str = ""
    is_name: bool = False
    wants_reason: bool = False


def alone(question: str) -> Standalone:
    """A question that leans on nothing."""
    return Standalone(question, question)


def standalone_question(question: str, history: Sequence[ChatTurn]) -> Standalone:
    """The question to search for: `question` itself, or joined to the questions before it where it leans on them.

    >>> lists = [ChatTurn("user", "How do I choose ivfflat lists?")]
    >>> standalone_question("And how is it measured?", lists).text
    'How do I choose ivfflat lists? And how is it measured?'
    >>> standalone_question("What is BM25?", lists).text
    'What is BM25?'
    >>> standalone_question("What about the TK-120?", [ChatTurn("user", "How much is an LX-300-D?")]).text
    'How much is an TK-120?'
    """
    return join(question, history) if leans(question) else alone(question)


def join(question: str, history: Sequence[ChatTurn]) -> Standalone:
    """The question put behind the user's questions before it, or with its thing in the place of theirs; itself where
    nothing was asked before."""
    earlier = earlier_questions(history)[-MAX_STEPS:]
    if not earlier:
        return alone(question)
    before = earlier[-1]
    if leans(before):
        before = join(before, [ChatTurn("user", asked) for asked in earlier[:-1]]).text
    if (compared := _compared(question)) and (joined := _join_compared(before, compared)):
        return alone(joined[:MAX_CHARS])
    thing = named_thing(question)
    if thing and (replaced := replace_thing(before, thing)):
        text = replaced.text[:MAX_CHARS]
        return Standalone(text, text, replaced.new, is_name(replaced.new) or is_name(replaced.old))
    room = MAX_CHARS - len(question) - 1
    text = f"{before[:room]} {question}".strip() if room > 0 else question
    if thing:
        return Standalone(text, before, thing, is_name(thing))
    return Standalone(text, question, wants_reason=bool(_WHY.match(fold_script(question))))


def named_thing(question: str) -> str | None:
    """What a question names and nothing else ("What about the TK-120?", "and in Spain?", 那上海呢？), else None."""
    if thing := corrected(question):
        return thing
    if found := _NAMES_ANOTHER.match(question):
        return next((group for group in found.groups() if group), None)
    return question.strip(" ?？!！.。") if _is_code_alone(question) else None


def _compared(question: str) -> str | None:
    """The thing that a question without "than" compares with what was asked of before; None for another question."""
    if re.search(r"\bthan\b", question, re.IGNORECASE):
        return None
    found = _COMPARES.match(fold_script(question))
    if found is None:
        return None
    at = next(
        (
            name
            for name in ("to", "with", "zh", "tail", "subject")
            if not _PRONOUN_ALONE.match(found[name] or "")
        ),
        None,
    )
    return question[found.start(at) : found.end(at)].strip() if at else None


def _join_compared(before: str, thing: str) -> str | None:
    """Both things and what is asked of them."""
    replaced = replace_thing(before, thing)
    if replaced is None:
        return None
    new = re.sub(rf"^{_BY} ", "", thing, flags=re.IGNORECASE)
    if is_chinese(before):
        return f"{before} {replaced.old}和{new}比较"
    return f"{before} Difference between {replaced.old} and {new}?"


def leans(question: str) -> bool:
    """Whether a question can't be understood without what was asked before it."""
    # A code alone is a topic of its own, as any word alone is; "K-25?" asks the same of another.
    is_topic = _is_code_alone(question) and not question.rstrip().endswith(("?", "？"))
    if (named_thing(question) and not is_topic) or _compared(question) or _TURN_OF_PHRASE.match(question):
        return True
    question = _EXPLETIVE.sub("", question)
    content = content_terms(question)
    if len(content) <= MOST_LEANING_TERMS and _ANY_PRONOUN.search(question):
        return True  # "Who approves that?"
    if _lacks_subject(question):
        return True
    if len(content) <= MOST_LEANING_TERMS and _TRAILING_THEN.search(question):
        return True
    pronoun = _PRONOUN.search(question)
    if pronoun is None:
        return bool(_LEADING_AND.match(question)) and len(read_question(question).terms) < 3
    return not content_terms(question[: pronoun.start()])


def _is_code_alone(question: str) -> bool:
    bare = question.strip(" ?？!！.。")
    return bare.isascii() and " " not in bare and bool(read_question(bare).codes)


def _lacks_subject(question: str) -> bool:
    """Whether a Chinese question asks after one verb alone (由谁审批？), or after nothing (最长多久？)."""
    folded = fold_script(question)
    if not _SUBJECTLESS.search(folded):
        return False
    words = [(word, kind) for word, kind in rjieba.tag(_ASKED.sub(" ", folded)) if word.strip()]
    if len(words) != 1:
        return not words
    word, kind = words[0]
    return bool(_HAN.match(word)) and (kind.startswith("v") or (len(word) < 3 and "吗" in folded))
