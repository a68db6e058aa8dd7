"""What an answer says of itself where more was asked for than a quotation: a text, a translation, advice. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from app.domain import Answer, ScoredChunk
from app.generation.reply import Voice, Wording
from app.lexicon import fold_script, is_chinese, terms
from app.question.tasks import Task

_ONLY_QUOTED: Final[Mapping[Task, Wording]] = {
    Task.WRITE: (
        "I can only quote here, not write texts. The documents say of it:",
        "这里只能引用原文，不能撰写文字。文档中的相关内容：",
    ),
    Task.TRANSLATE: (
        "I can only quote here, not translate. The documents say:",
        "这里只能引用原文，不能翻译。文档原文：",
    ),
    Task.DRAW: (
        "I can only quote here, not make tables or pictures. The documents say:",
        "这里只能引用原文，不能制作表格或图。文档中的相关内容：",
    ),
    Task.REWORD: (
        "I can only quote here, not put it in other words. The documents say:",
        "这里只能引用原文，不能改写或总结。文档中的相关内容：",
    ),
    Task.COMPUTE: (
        "I can only quote here, not compute. The documents say of it:",
        "这里只能引用原文，不能计算。文档中的相关内容：",
    ),
    Task.ADVISE: (
        "I can only quote here, not judge or advise. The documents say of it:",
        "这里只能引用原文，不能判断或给出建议。文档中的相关内容：",
    ),
}
_AS_WRITTEN: Final[Wording] = (
    "The documents are quoted as they are written, as nothing can be translated here:",
    "这里不能翻译，以下引用文档原文：",
)
_ONLY_IN_CHINESE: Final[Wording] = (
    "The documents say this in Chinese only; they are quoted as they are written:",
    "文档中只有中文内容，以下引用原文：",
)
_NOT_IN_CHINESE: Final[Wording] = (
    "The documents do not say this in Chinese; they are quoted as they are written:",
    "文档中没有相关的中文内容，以下引用原文：",
)
# What a sentence has that tells what to do, or what is better: then it answers who asks for advice.
_ADVISES: Final = re.compile(
    r"\b(?:should|must|need(?:s|ed)? to|ha(?:s|ve) to|ought|recommend\w*|advis\w+|suggest\w*|prefer\w*|better|best"
    r"|suitable|suited|required?|mandatory|obliged|allowed|permitted|forbidden|prohibited|may(?! \d)|only if|unless"
    r"|instead|worth\w*|always|never|do not|don't|is enough)\b"
    r"|应(?!用|付|届|聘)(?<![反供响适对回]应)|须(?!知)|必须|不得|建议|推荐|最好|优先|适合|可以|不可|可(?=[在由于凭按向免申自选不])|禁止|不能|不要"
    r"|(?<![申])请(?![假客])|需要?(?!求)|值得|无需|不必",
    re.IGNORECASE,
)
_TO_DO: Final = re.compile(r"\bshould (?:i|we) (?P<verb>[a-z]+)", re.IGNORECASE)
_FIRST_WORD: Final = re.compile(r"[A-Za-z]+")


def say_before(answer: Answer, words: str) -> Answer:
    """The answer with words of our own before it, in a paragraph of theirs; its claims move with its text."""
    start = f"{words}\n\n"

    def moved(place: int | None) -> int | None:
        return None if place is None else place + len(start)

    claims = tuple(
        replace(
            claim,
            start=claim.start + len(start),
            end=claim.end + len(start),
            mark_start=moved(claim.mark_start),
            mark_end=moved(claim.mark_end),
        )
        for claim in answer.claims
    )
    return replace(answer, text=start + answer.text, claims=claims)


def only_quoted(answer: Answer, task: Task, voice: Voice) -> Answer:
    """A quotation that says that it is all that can be had; the quotation alone where that is the advice asked for."""
    if task is Task.ADVISE and _gives_advice(answer):
        return answer
    return say_before(answer, voice.word(_ONLY_QUOTED[task]))


def in_language(answer: Answer, voice: Voice) -> Answer:
    """An answer that was asked for in another language, which says so where its quotations are not in that one."""
    if all(is_chinese(citation.quote) == voice.chinese for citation in answer.citations):
        return answer
    return say_before(answer, voice.word(_AS_WRITTEN))


def in_other_language(answer: Answer, hits: Sequence[ScoredChunk], voice: Voice) -> Answer:
    """An answer that quotes nothing but chunks in another language than the reply's, which says so. What is quoted may
    be a number or a name, so the chunk tells the language."""
    texts = {hit.chunk_id: hit.text for hit in hits}
    quoted = [texts.get(citation.chunk_id, citation.quote) for citation in answer.citations]
    if not quoted or any(is_chinese(text) == voice.chinese for text in quoted):
        return answer
    return say_before(answer, voice.word(_NOT_IN_CHINESE if voice.chinese else _ONLY_IN_CHINESE))


def _gives_advice(answer: Answer) -> bool:
    """Whether what is quoted first tells what to do: it has a word for that, or begins with the verb of the question
    ("Call your manager" for "Should I call …?"). A comparison of two things leaves the choice open."""
    if answer.kind == "comparison" or not answer.claims:
        return False
    first = answer.text[answer.claims[0].start : answer.claims[0].end]
    if _ADVISES.search(fold_script(first)):
        return True
    asked, word = _TO_DO.search(answer.standalone_question), _FIRST_WORD.match(first)
    return bool(asked and word and set(terms(asked["verb"])) & set(terms(word.group())))
