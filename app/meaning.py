"""What a message asks for: small talk, the collection itself, the answer before it, or something of the documents."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from app.about import About
from app.domain import Answer, ChatTurn
from app.errors import LlmUnavailableError
from app.exchange import AskRequest
from app.generation.reply import Voice
from app.generation.rewrite import rewrite_question
from app.generation.servers import LlmServers
from app.letterspacing import close_up
from app.lexicon import is_chinese
from app.question.courtesy import bare_question
from app.question.runs import cut_runs
from app.question.standalone import Standalone, alone, standalone_question
from app.question.talk import Again, Talk, asked_language, earlier_questions, is_traditional, read_again
from app.question.tasks import Task, read_task


@dataclass(frozen=True, slots=True)
class Meant:
    """What a message asks for.

    `told` is the reply where it asks nothing of the documents; else `standalone` is searched for. `asked` has the
    question of that and what was said before it: the message's own, or that of the answer that the message comes back
    to (`again`).
    """

    voice: Voice
    told: Answer | None = None
    standalone: Standalone = field(default_factory=lambda: alone(""))
    asked: AskRequest | None = None
    again: Again | None = None
    task: Task | None = None


class MessageReader:
    """Reads messages by rule, and by the model where it makes a follow-up stand alone."""

    def __init__(self, about: About | None, llm: LlmServers | None, rewrite_timeout_s: float) -> None:
        """Without `about`, greetings and questions about the collection itself are questions to its documents."""
        self._about, self._llm, self._rewrite_timeout_s = about, llm, rewrite_timeout_s

    async def read(self, request: AskRequest) -> Meant:
        """What a message asks for: of the collection, of the answer before it, or of the documents."""
        bare = bare_question(request.question)
        again = read_again(bare, request.history) or read_again(request.question, request.history)
        voice = voice_of(request)
        if again is not None:
            asked = replace(request, question=again.question, history=again.before)
            told = await self._tell(asked, voice)
            if told is None:
                standalone, task = await self._stand_alone(asked)
                return Meant(voice, None, standalone, asked, again, task)
            if again.talk is Talk.LANGUAGE:
                return Meant(voice, told)
        told = await self._tell(request, voice)
        if told is not None:
            return Meant(voice, told)
        standalone, task = await self._stand_alone(request)
        return Meant(voice, None, standalone, request, None, task)

    async def _stand_alone(self, request: AskRequest) -> tuple[Standalone, Task | None]:
        """The question without need of the conversation, and the task in it: by the model where there is one and it
        does well; of a task, what it is about."""
        task = read_task(bare_question(request.question))
        if task is not None and task.about:
            return standalone_question(task.about, request.history), task.task
        earlier = earlier_questions(request.history)
        if task is not None and earlier:
            before = [ChatTurn("user", asked) for asked in earlier[:-1]]
            return standalone_question(earlier[-1], before), task.task
        by_rule = standalone_question(request.question, request.history)
        llm = self._llm
        if llm is None or llm.is_away or not any(turn.role == "user" for turn in request.history):
            return by_rule, None
        try:
            async with llm.turn(request.conversation) as server:
                by_model = await rewrite_question(
                    server, request.question, request.history, timeout_s=self._rewrite_timeout_s
                )
        except LlmUnavailableError:  # it was given up while this question waited for its turn
            return by_rule, None
        return (alone(by_model) if by_model else by_rule), None

    async def _tell(self, request: AskRequest, voice: Voice) -> Answer | None:
        """The reply to small talk and to questions about the collection itself; None for one to its documents."""
        if self._about is None:
            return None
        bare = bare_question(request.question)
        return await self._about.answer(bare, request.collection, request.filter, request.history, voice)


def closed_up(request: AskRequest) -> AskRequest:
    """What people say, with Chinese words closed up: 姓 名 is asked as 姓名, which is what rules and models read; and
    without the rest of long runs of signs."""
    said = (
        replace(turn, content=close_up(cut_runs(turn.content))) if turn.role == "user" else turn
        for turn in request.history
    )
    return replace(request, question=close_up(cut_runs(request.question)), history=tuple(said))


def voice_of(request: AskRequest) -> Voice:
    """The language of the reply: what the message asks for, else its own; its script also by what was said before."""
    said = [turn.content for turn in request.history if turn.role == "user"]
    message = request.question
    wanted = asked_language(bare_question(message))
    chinese = is_chinese(message) if wanted is None else wanted == "zh"
    if wanted is None and said and not re.search(r"(?<![\w-])[A-Za-z]{2,}(?![\w-])", message):
        chinese = is_chinese(f"{said[-1]} {message}")  # "GW-7?", GW-7呢, an emoji: no language of its own
    return Voice(chinese, chinese and is_traditional(" ".join((*said, message))))
