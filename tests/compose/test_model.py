"""`docker compose --profile gpu up` with vLLM on a tiny Llama."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.compose.stack import Stack, run
from tests.compose.tiny_llama import CONTEXT_TOKENS

pytestmark = pytest.mark.compose

ENGLISH = "How do I choose the number of ivfflat lists?"
CHINESE = "如何选择分块大小？"


@pytest.fixture(scope="module")
def served(stack: Stack) -> Iterator[Stack]:
    """The profile's own way up: the model server first, then an app that finds it."""
    stack.compose("rm", "--stop", "--force", "app")
    stack.compose("--profile", "gpu", "up", "--detach")
    stack.wait_healthy("llm", timeout_s=400)
    stack.wait_healthy("app", timeout_s=180)
    yield stack
    stack.compose("--profile", "gpu", "rm", "--stop", "--force", "llm", "app")
    stack.compose("up", "--detach")
    stack.wait_healthy("app", timeout_s=180)


def generation(max_tokens: int) -> dict[str, Any]:
    return {"temperature": 0, "max_tokens": max_tokens}


@pytest.mark.parametrize("question", [ENGLISH, CHINESE])
def test_the_model_s_tokens_are_streamed_and_counted(served: Stack, question: str) -> None:
    events = list(served.stream({"question": question, "generation": generation(64)}))
    assert events[0][0] == "sources"
    tokens = [data["text"] for name, data in events if name == "token"]
    assert len(tokens) > 5
    name, reply = events[-1]
    assert name == "done"
    assert reply["generator"] == "/tiny-llama"
    assert reply["usage"]["completion_tokens"] > 0
    assert 0 < reply["usage"]["prompt_tokens"] <= CONTEXT_TOKENS - 64


def test_the_prompt_fits_what_the_answer_leaves_of_the_context(served: Stack) -> None:
    reply = served.post("/ask", {"question": ENGLISH, "top_k": 50, "generation": generation(1024)})
    assert not reply["degraded"], reply["degraded_reason"]
    assert 200 < reply["usage"]["prompt_tokens"] <= CONTEXT_TOKENS - 1024


def test_the_model_server_is_held_back_and_not_published(served: Stack) -> None:
    host = served.inspect("llm")["HostConfig"]
    assert host["PortBindings"] == {}
    assert (host["ReadonlyRootfs"], host["CapDrop"], host["CapAdd"]) == (True, ["ALL"], None)
    assert host["SecurityOpt"] == ["no-new-privileges:true"]
    assert host["ShmSize"] == 1 << 30


def test_stopped_in_the_middle_it_is_answered_from_the_documents(served: Stack) -> None:
    llm = served.container("llm")
    seen: list[str] = []
    reply: dict[str, Any] = {}
    for name, data in served.stream({"question": ENGLISH, "generation": generation(1400)}):
        seen.append(name)
        if name == "token" and seen.count("token") == 1:
            run("docker", "kill", llm)
        reply = data
    assert seen[-1] == "done"
    assert (reply["generator"], reply["degraded"], reply["abstained"]) == ("extractive", True, False)
    assert reply["degraded_reason"]
    assert reply["citations"]

    again = served.post("/ask", {"question": CHINESE})
    assert (again["generator"], again["degraded"], again["abstained"]) == ("extractive", True, False)
    assert served.get("/readyz")  # the documents can still be asked
