"""Question, retrieved chunks and conversation → the messages that a language model answers from.

Pure but for reading its own words from `prompts/` once. Knows nothing of HTTP or of the model's name; the
caller brings the budget, a way to count tokens and a fresh nonce.

What a document says is quoted text, never an instruction: each source stands between two lines that carry
the nonce, which no document can know, and whatever in it looks like such a line or like a chat template's
own tokens is made harmless in the prompt. The chunks that come back in `Prompt.used` keep the document's
exact text and offsets.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from importlib.resources import files
from itertools import pairwise, zip_longest
from string import Template
from typing import Literal

from app.domain import ChatTurn, ScoredChunk
from app.errors import LimitExceededError
from app.generation.markers import MarkerStream
from app.sentences import split_sentences

Language = Literal["en", "zh"]

# What a chat template adds around a message (role, header and end tokens), and before the reply: at most 7
# and 5 in the templates of Llama 2 to 4, Qwen, Mistral and Gemma.
MESSAGE_TOKENS = 8
REPLY_TOKENS = 8
# Share of the room left by rules and question that the conversation may take before the sources have theirs.
HISTORY_SHARE = 0.2
# A chunk that does not fit whole is used from its start if at least this share of it fits.
LEAST_CUT_SHARE = 0.25
MAX_HEADER_CHARS = 200
MAX_REFUSAL_CHARS = 240
# What the lines around a source begin with, and what stands behind the sources (prompts/question.*.md). A model that
# writes one repeats its prompt.
FENCES = ("<<<source ", "<<<end ")
ECHOES = (
    *FENCES,
    "Answer the question in English from the sources above",
    "请根据以上资料用中文回答问题",
)

# Characters that a reader does not see: zero-width and direction marks, soft hyphens, tags, controls,
# and lone surrogates, which can't be sent.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ud800-\udfff\ufeff\U000e0000-\U000e007f]"
)
_SPECIAL = re.compile(r"<{3,}|<(?=[|｜])|</?s>|<</?SYS>>|\[/?INST\]|</?(?:start|end)_of_turn>")
# That the sources don't hold the answer, as models put it: "The provided documents do not mention …", 资料中未提及….
_SOURCES = r"(?:documents?|sources?|texts?|context|passages?|excerpts?)"
_REFUSES = re.compile(
    r"^\W*(?:(?:sorry|unfortunately|i'm sorry|i am sorry)\W+)?(?:(?:but )?the |these |this )?"
    rf"(?:provided |given |above )?{_SOURCES} (?:do(?:es)? not|don't|doesn't) "
    r"(?:seem to |appear to |explicitly |directly )?"
    r"(?:contain|hold|have|provide|mention|include|say|state|give|specify|answer)\b"
    rf"|^\W*(?:there is )?no (?:information|answer|mention)\b.{{0,80}}\b(?:in|of) the (?:provided |given )?{_SOURCES}"
    r"|^\W*+(?:(?:抱歉|很抱歉|对不起)\W*+)?(?:根据)?(?:所|已)?(?:提供的|上述|以上|给出的|这些)?(?:文档|资料|文件|来源|材料|上下文|参考资料)"
    r"[中里内]?(?:并)?(?:没有|未|不)(?:明确)?(?:提到|提及|包含|说明|给出|提供|找到|涉及|回答|写)",
    re.IGNORECASE,
)
_MARKER = re.compile(r"\[\s*\d|【\s*\d")
_HARMLESS = str.maketrans("<>[]", "‹›()")


@dataclass(frozen=True, slots=True)
class PromptMessage:
    """One message of the chat format."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """What is sent, and what stands behind each marker: source [n] of the prompt is `used[n - 1]`.

    `prompt_tokens` is by the caller's way of counting, the chat template's own tokens included.
    """

    messages: tuple[PromptMessage, ...]
    used: tuple[ScoredChunk, ...]
    prompt_tokens: int


def build_messages(
    question: str,
    chunks: Sequence[ScoredChunk],
    history: Sequence[ChatTurn],
    *,
    budget_tokens: int,
    count_tokens: Callable[[str], int],
    nonce: str,
    language: Language,
    neighbours: Sequence[ScoredChunk] = (),
) -> Prompt:
    """Return the longest prompt of at most `budget_tokens`: rules, conversation, sources, question.

    `chunks` come best first and keep that order as markers [1], [2], …, wherever their sources stand in the prompt
    (see `placed`); chunks of one document that overlap or touch become one source, so that no text stands twice. A
    chunk that does not fit is cut at the end of a sentence, or left out. `neighbours` are stretches beside the
    chunks, the most wanted first: each is joined to the source that it touches if it fits whole, and gets no marker
    of its own. Of `history` the newest whole exchanges stay: up to a fifth of the room before the sources, and what
    the sources leave. `nonce` is `secrets.token_hex(8)` of this request alone.

    Raises LimitExceededError if the rules and the question alone are more than the budget.
    """

    def assemble(sources: Sequence[ScoredChunk], exchanges: int) -> Prompt:
        messages = _messages(question, sources, turns[len(turns) - 2 * exchanges :], nonce, language)
        tokens = sum(count_tokens(message.content) + MESSAGE_TOKENS for message in messages) + REPLY_TOKENS
        return Prompt(messages, tuple(sources), tokens)

    def take_history(sources: Sequence[ScoredChunk], at_least: int, limit: float) -> int:
        exchanges = at_least
        while 2 * exchanges < len(turns) and assemble(sources, exchanges + 1).prompt_tokens <= limit:
            exchanges += 1
        return exchanges

    turns = _whole_exchanges(history)
    bare = assemble((), 0).prompt_tokens
    if bare > budget_tokens:
        raise LimitExceededError(
            f"The question takes {bare} tokens with the rules for answering, and the model has room for "
            f"{budget_tokens} (PGASK_LLM_CONTEXT_TOKENS, or what its server says): shorten it, or use a model with a "
            "longer context.",
            code="prompt_too_large",
            chinese=f"问题连同作答规则有 {bare} 个词元，模型只容得下 {budget_tokens}"
            "（PGASK_LLM_CONTEXT_TOKENS，或其服务器给出的值）：请缩短问题，或换用上下文更长的模型。",
        )
    exchanges = take_history((), 0, bare + HISTORY_SHARE * (budget_tokens - bare))

    def fits(some: Sequence[ScoredChunk]) -> bool:
        return assemble(some, exchanges).prompt_tokens <= budget_tokens

    sources = extend_sources(select_sources(chunks, fits), neighbours, fits)
    return assemble(sources, take_history(sources, exchanges, budget_tokens))


def refusal(language: Language) -> str:
    """The sentence that the model is told to say when the sources do not hold the answer."""
    return prompt_words("refusal", language)


def is_refusal(text: str) -> bool:
    """Whether an answer is the refusal sentence of either language, give or take punctuation, case and markers. Without
    a marker anywhere also that sentence beside others (a small model repeats it, numbers it, or asks the question
    again), and a short one that says the same in its own words."""
    shown = _drop_markers(text)
    said = _letters(shown)
    sentences = {_letters(refusal("en")), _letters(refusal("zh"))}
    if said in sentences:
        return True
    if _MARKER.search(text) is not None:
        return False
    in_other_words = len(shown) <= MAX_REFUSAL_CHARS and _REFUSES.search(shown) is not None
    return in_other_words or any(sentence in said for sentence in sentences)


def has_words(text: str) -> bool:
    """Whether a model's answer says anything beside its reasoning, markers and signs."""
    return bool(_letters(_drop_markers(text)))


def select_sources(
    chunks: Sequence[ScoredChunk], fits: Callable[[Sequence[ScoredChunk]], bool]
) -> tuple[ScoredChunk, ...]:
    """Return the sources, best first, that `fits` accepts together; `chunks` come best first. Where the best is one
    sender's upload, that sender's and the others' are given room by turns."""
    kept: dict[int, ScoredChunk] = {}

    def fits_at(place: int, part: ScoredChunk) -> bool:
        return fits(merge_overlapping([one for _, one in sorted((kept | {place: part}).items())]))

    for place in _by_turns(chunks):
        chunk = chunks[place]
        if fits_at(place, chunk):
            kept[place] = chunk
            continue
        cut = _cut_to_fit(chunk, partial(fits_at, place), first=not kept)
        if cut is not None:
            kept[place] = cut
            break  # the budget is as good as spent
    return tuple(merge_overlapping([one for _, one in sorted(kept.items())]))


def _by_turns(chunks: Sequence[ScoredChunk]) -> list[int]:
    """In which order the chunks get their room, by their places."""
    sender = chunks[0].sender if chunks else None
    if sender is None:
        return list(range(len(chunks)))
    own = [place for place, chunk in enumerate(chunks) if chunk.sender == sender]
    others = [place for place, chunk in enumerate(chunks) if chunk.sender != sender]
    return [place for pair in zip_longest(own, others) for place in pair if place is not None]


def extend_sources(
    sources: tuple[ScoredChunk, ...],
    neighbours: Sequence[ScoredChunk],
    fits: Callable[[Sequence[ScoredChunk]], bool],
) -> tuple[ScoredChunk, ...]:
    """Join each neighbour that touches a source and fits; order and identity of the sources stay as they are."""
    for neighbour in neighbours:
        joined = tuple(merge_overlapping([*sources, neighbour]))
        if len(joined) <= len(sources) and fits(joined):
            sources = joined
    return sources


def placed(count: int) -> list[int]:
    """In which order sources 0 (the best) to count - 1 stand in the prompt: the best first, the second best last, the
    weakest in the middle.

    Models use what stands at the start or the end of their context best, and what stands in the middle worst (Liu et
    al. 2023, "Lost in the Middle: How Language Models Use Long Contexts", figures 1 and 5).

    >>> placed(6)
    [0, 2, 4, 5, 3, 1]
    """
    return [*range(0, count, 2), *reversed(range(1, count, 2))]


def merge_overlapping(chunks: Sequence[ScoredChunk]) -> list[ScoredChunk]:
    """Join chunks of one document that overlap or touch; order and identity are the best member's.

    Chunks whose shared stretch differs (two versions of a document) stay apart.
    """
    by_place = sorted(enumerate(chunks), key=lambda item: (item[1].document_id, item[1].char_start, item[0]))
    merged: list[tuple[int, ScoredChunk]] = []  # (place of the best member in `chunks`, source)
    for place, chunk in by_place:
        joined = _join(merged[-1][1], chunk) if merged else None
        if joined is None:
            merged.append((place, chunk))
            continue
        best_place = min(merged[-1][0], place)
        best = chunks[best_place]
        score = max(merged[-1][1].score, chunk.score)
        text, char_start, char_end = joined
        source = replace(best, char_start=char_start, char_end=char_end, text=text, score=score)
        merged[-1] = (best_place, source)
    return [chunk for _, chunk in sorted(merged, key=lambda item: item[0])]


def _join(left: ScoredChunk, right: ScoredChunk) -> tuple[str, int, int] | None:
    """Text and span of two chunks that overlap or touch, `left` starting first; None if they do not."""
    if left.document_id != right.document_id or right.char_start > left.char_end:
        return None
    shared = left.text[right.char_start - left.char_start :]
    length = min(len(shared), len(right.text))
    if shared[:length] != right.text[:length]:
        return None
    return left.text + right.text[length:], left.char_start, max(left.char_end, right.char_end)


def _cut_to_fit(
    chunk: ScoredChunk, fits: Callable[[ScoredChunk], bool], *, first: bool
) -> ScoredChunk | None:
    """The longest start of `chunk` that fits and ends with a sentence; None if too little of it does.

    The first chunk is worth more than a clean end: it is cut at a word, or anywhere, before it is left out.
    """
    least = 1 if first else int(len(chunk.text) * LEAST_CUT_SHARE)
    ends = [[end for _, end in split_sentences(chunk.text) if end >= least]]
    if first:
        ends += [[m.start() for m in re.finditer(r"\s+", chunk.text)], list(range(1, len(chunk.text)))]
    for borders in ends:
        low, high = 0, len(borders)  # the first `low` borders fit, those from `high` on do not
        while low < high:
            middle = (low + high) // 2
            if fits(_start_of(chunk, borders[middle])):
                low = middle + 1
            else:
                high = middle
        if low and chunk.text[: borders[low - 1]].strip():
            return _start_of(chunk, borders[low - 1])
    return None


def _start_of(chunk: ScoredChunk, length: int) -> ScoredChunk:
    return replace(chunk, text=chunk.text[:length], char_end=chunk.char_start + length)


def _whole_exchanges(history: Sequence[ChatTurn]) -> list[ChatTurn]:
    """The questions that were answered, each with its answer: chat templates want roles to alternate."""
    turns: list[ChatTurn] = []
    for turn, following in pairwise(history):
        if (turn.role, following.role) == ("user", "assistant"):
            turns += [turn, following]
    return turns


def _messages(
    question: str,
    sources: Sequence[ScoredChunk],
    turns: Sequence[ChatTurn],
    nonce: str,
    language: Language,
) -> tuple[PromptMessage, ...]:
    fenced = "\n\n".join(_fence(place + 1, sources[place], nonce) for place in placed(len(sources)))
    asked = Template(prompt_words("question", language)).substitute(
        sources=fenced, question=neutralise(question).strip(), refusal=refusal(language)
    )
    return (
        PromptMessage(
            "system", Template(prompt_words("system", language)).substitute(refusal=refusal(language))
        ),
        *(PromptMessage(turn.role, neutralise(said(turn))) for turn in turns),
        PromptMessage("user", asked),
    )


def said(turn: ChatTurn) -> str:
    """What was said in a turn; an answer without its markers, which number the sources of another prompt."""
    return turn.content if turn.role == "user" else _drop_markers(turn.content)


def _drop_markers(text: str) -> str:
    stream = MarkerStream(source_count=0)
    return stream.feed(text) + stream.finish()


def _fence(number: int, source: ScoredChunk, nonce: str) -> str:
    page = f"p. {source.page}" if source.page is not None else None
    about = " · ".join(part for part in (source.title, source.heading, page) if part)
    header = " ".join(neutralise(about).split())[:MAX_HEADER_CHARS]
    body = neutralise(source.text).strip("\n")
    opening, closing = FENCES
    return f"{opening}{number} {nonce}>>>\n{f'[{number}] {header}'.rstrip()}\n{body}\n{closing}{number} {nonce}>>>"


def neutralise(text: str) -> str:
    """Text without what a reader can't see, and without what a fence or a chat template is made of."""
    return _SPECIAL.sub(lambda match: match.group().translate(_HARMLESS), _INVISIBLE.sub("", text))


def _letters(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())


@cache
def prompt_words(name: str, language: Language) -> str:
    """The words of a prompt's file."""
    return (files("app.generation") / "prompts" / f"{name}.{language}.md").read_text("utf-8").strip()
