"""`docker compose --profile gpu up` with vLLM, and `--profile cpu` with llama.cpp, on a small Llama."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.compose.conftest import LLAMA_CPP_IMAGE
from tests.compose.llama import CONTEXT_TOKENS
from tests.compose.stack import Stack, run

pytestmark = pytest.mark.compose

ENGLISH = "How do I choose the number of ivfflat lists?"
CHINESE = "如何选择分块大小？"


@dataclass(frozen=True)
class ModelServer:
    """A profile, its service, and the start of the name by which the server lists its model."""

    profile: str
    service: str
    model: str


VLLM = ModelServer("gpu", "llm", "/llama/model")
LLAMA_CPP = ModelServer("cpu", "llm-cpu", "llama.gguf")


@pytest.fixture(scope="module")
def llama_cpp_image() -> None:
    """Built in some minutes, the first time on this engine."""
    if run("docker", "image", "ls", "--quiet", LLAMA_CPP_IMAGE).strip():
        return
    recipe = Path(__file__).with_name("llamacpp.Dockerfile")
    run(
        "docker",
        "build",
        "--quiet",
        "--tag",
        LLAMA_CPP_IMAGE,
        "--file",
        str(recipe),
        str(recipe.parent),
        timeout_s=3600,
    )


@pytest.fixture(scope="module", params=[VLLM, LLAMA_CPP], ids=lambda server: server.service)
def server(request: pytest.FixtureRequest) -> ModelServer:
    if request.param is LLAMA_CPP:
        request.getfixturevalue("llama_cpp_image")
    found: ModelServer = request.param
    return found


@pytest.fixture(scope="module")
def served(stack: Stack, server: ModelServer) -> Iterator[Stack]:
    """The profile's own way up: the model server first, then an app that finds it."""
    stack.compose("rm", "--stop", "--force", "app")
    stack.compose("--profile", server.profile, "up", "--detach")
    stack.wait_healthy(server.service, timeout_s=400)
    stack.wait_healthy("app", timeout_s=180)
    yield stack
    stack.compose("--profile", server.profile, "rm", "--stop", "--force", server.service, "app")
    stack.compose("up", "--detach")
    stack.wait_healthy("app", timeout_s=180)


def generation(max_tokens: int) -> dict[str, Any]:
    return {"temperature": 0, "max_tokens": max_tokens}


def is_cut(reply: dict[str, Any]) -> bool:
    """Whether the model went round, or said nothing but its prompt, so that the documents answered; or the prompt was
    too long: where a server can't be asked for the count, tokens are estimated, and this model takes two or three for
    a Chinese character."""
    if not reply["degraded"]:
        return False
    known = ("repeated itself.", "gave an empty answer.", "exceeds the available context size")
    assert any(reason in reply["degraded_reason"] for reason in known), reply["degraded_reason"]
    assert (reply["generator"], bool(reply["citations"])) == ("extractive", True)
    return True


@pytest.mark.parametrize("question", [ENGLISH, CHINESE])
def test_the_model_s_tokens_are_streamed_and_counted(
    served: Stack, server: ModelServer, question: str
) -> None:
    events = list(served.stream({"question": question, "generation": generation(64)}))
    assert events[0][0] == "sources"
    tokens = [data["text"] for name, data in events if name == "token"]
    name, reply = events[-1]
    assert name == "done"
    if is_cut(reply):  # which happens to a model of this size
        return
    assert tokens
    assert server.model in reply["generator"]
    assert reply["usage"]["completion_tokens"] > 0
    assert 0 < reply["usage"]["prompt_tokens"] <= CONTEXT_TOKENS - 64


def test_the_prompt_fits_what_the_answer_leaves_of_the_context(served: Stack) -> None:
    reply = served.post("/ask", {"question": ENGLISH, "top_k": 50, "generation": generation(1024)})
    if is_cut(reply):
        return
    assert 200 < reply["usage"]["prompt_tokens"] <= CONTEXT_TOKENS - 1024


def test_the_model_server_is_held_back_and_not_published(served: Stack, server: ModelServer) -> None:
    host = served.inspect(server.service)["HostConfig"]
    assert host["PortBindings"] == {}
    assert (host["ReadonlyRootfs"], host["CapDrop"], host["CapAdd"]) == (True, ["ALL"], None)
    assert host["SecurityOpt"] == ["no-new-privileges:true"]
    assert server is LLAMA_CPP or host["ShmSize"] == 1 << 30


def test_what_the_model_makes_up_is_not_called_supported(served: Stack) -> None:
    for question in (ENGLISH, CHINESE, "Which port does PostgreSQL use?", "What does pooling mean?"):
        reply = served.post("/ask", {"question": question, "generation": generation(128)})
        for claim in reply["claims"]:
            if claim["supported"]:
                said = reply["answer"][claim["start"] : claim["end"]]
                sources = " ".join(reply["citations"][at]["quote"] for at in claim["citations"])
                assert set(re.findall(r"\d+", re.sub(r"\[\d+\]", "", said))) <= set(
                    re.findall(r"\d+", sources)
                )


def test_stopped_in_the_middle_it_is_answered_from_the_documents(served: Stack, server: ModelServer) -> None:
    llm = served.container(server.service)
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
