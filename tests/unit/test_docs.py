"""The documentation says what is so: links, settings, commands, addresses, files and tests that it names exist."""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
import typer.main
from fastapi.routing import APIRoute

import app.cli
import eval.cli
import ingest.cli
from app.api import (
    ask,
    collections,
    documents,
    feedback,
    health,
    jobs,
    mcp,
    metrics,
    openai,
    pages,
    plans,
    reingest,
    search,
    session,
    status,
    talks,
    uploads,
)
from app.config import Settings
from ingest.reasons import REASONS

ROOT = Path(__file__).parents[2]
ADRS = sorted((ROOT / "docs/adr").glob("*.md"))
HANDBOOK = sorted((ROOT / "corpus").rglob("*.md"))
PAGES = [
    *(ROOT / name for name in ("README.md", "README.zh.md", "CONTRIBUTING.md", "CHANGELOG.md", "web/README.md")),
    *sorted((ROOT / "docs").glob("*.md")),
    *ADRS,
    *HANDBOOK,
]  # fmt: skip
SETTINGS = {f"PGASK_{name.upper()}": field for name, field in Settings.model_fields.items()}
COMMANDS = {
    "pgask": typer.main.get_command(app.cli.app),
    "ingest": typer.main.get_command(ingest.cli.app),
    "rag-eval": typer.main.get_command(eval.cli.build_cli(None)),  # type: ignore[arg-type]  # never run
}
ROUTES = {
    (method, route.path)
    for router in (
        module.router
        for module in (
            ask,
            collections,
            documents,
            feedback,
            health,
            jobs,
            mcp,
            metrics,
            openai,
            pages,
            plans,
            reingest,
            search,
            session,
            status,
            talks,
            uploads,
        )
    )
    for route in router.routes
    if isinstance(route, APIRoute)
    for method in route.methods or ()
} | {("GET", "/openapi.json"), ("GET", "/")}

# of addresses, not of folders
FIRST_PARTS = (
    "ask|collections|conversations|documents|feedback|healthz|jobs|mcp|metrics|openapi|readyz|"
    "search|session|v1"
)
TEST_VARIABLES = {"PGASK_EVAL_DATA", "PGASK_TEST_CHROMIUM"}  # read by tests and scripts alone

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def inline_code(text: str) -> list[str]:
    """Code between single backticks, outside of fences."""
    return _INLINE.findall(_FENCE.sub("", text))


def command_lines(text: str) -> Iterator[list[str]]:
    """Each call of one of our commands, as words from the command's name on."""
    lines = [
        line
        for language, body in _FENCE.findall(text)
        if language == "sh"
        for line in body.replace("\\\n", " ").splitlines()
    ]
    for line in [*lines, *inline_code(text)]:
        for part in re.split(r"\s(?:&&|\||;)\s", line):
            words = _words(part)
            start = next((i for i, word in enumerate(words) if not re.fullmatch(r"[A-Z_]+=\S*", word)), None)
            if start is None:
                continue
            named = re.fullmatch(r"(?:\S*\.venv/bin/)?(pgask|ingest|rag-eval|make)", words[start])
            if named:
                yield [named[1], *words[start + 1 :]]


def _words(line: str) -> list[str]:
    line = re.sub(r"^(?:[\d*/]+ +){5}", "", line.strip())  # a line of a crontab
    try:
        return shlex.split(line, comments=True)
    except ValueError:  # an apostrophe: prose, not a command
        return []


def fault_of(words: list[str]) -> str | None:
    """What is wrong with a call, None where nothing is; names of groups and commands alone are mentions, not calls."""
    name, *arguments = words
    if name == "make":
        targets = re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
        return next((f"make {word}" for word in arguments if "=" not in word and word not in targets), None)
    command = COMMANDS[name]
    while hasattr(command, "commands") and arguments and not arguments[0].startswith("-"):
        if arguments[0] not in command.commands:
            return f"{name} has no {arguments[0]}"
        command, arguments = command.commands[arguments[0]], arguments[1:]
    if not arguments or arguments == ["--help"]:
        return None
    context = command.context_class(command, info_name=name)
    try:
        given, rest, _ = command.make_parser(context).parse_args(list(arguments))
    except Exception as error:  # typer's vendored click has no public name for its errors
        return f"{' '.join(words)}: {error}"
    missing = [
        parameter.name
        for parameter in command.params
        if parameter.required and given.get(parameter.name or "") in (None, ())
    ]
    return f"{' '.join(words)}: extra {rest}, missing {missing}" if rest or missing else None


@each_page
def test_relative_links_resolve(page: Path) -> None:
    targets = [link.partition("#")[0] for link in _LINK.findall(text_of(page)) if "://" not in link]
    assert [target for target in targets if target and not (page.parent / target).exists()] == []


@each_page
def test_settings_exist(page: Path) -> None:
    assert set(re.findall(r"PGASK_[A-Z0-9_]*[A-Z0-9]", text_of(page))) <= set(SETTINGS) | TEST_VARIABLES


@each_page
def test_commands_and_their_options_exist(page: Path) -> None:
    assert [fault for words in command_lines(text_of(page)) if (fault := fault_of(words))] == []


@pytest.mark.parametrize(
    "call",
    [
        "pgask fly",
        "pgask ask 'x' --wings",
        "pgask ask --json",
        "pgask documents fly",
        "ingest --quiet",
        "ingest ./corpus --chunk-size 3",
        "rag-eval sweep --corpus x",
        "rag-eval run --corpus x",
        "make fly",
    ],
)
def test_a_command_that_does_not_exist_is_noticed(call: str) -> None:
    (words,) = command_lines(f"```sh\nPORT=1 {call}\n```")
    assert fault_of(words) is not None


@each_page
def test_addresses_of_the_api_exist(page: Path) -> None:
    text = text_of(page)
    named = set(re.findall(r"\b(GET|POST|DELETE|PUT|PATCH) (/[\w/{}.-]*)", text))
    bare = set(re.findall(rf"`(/(?:{FIRST_PARTS})[\w/{{}}.-]*)`", text)) | set(
        re.findall(r"127\.0\.0\.1:8000(/[\w/.-]*)", text)
    )
    known = {re.sub(r"\{\w+\}", "{id}", path) for _, path in ROUTES}
    assert {(method, re.sub(r"\{\w+\}", "{id}", path)) for method, path in named} <= {
        (method, re.sub(r"\{\w+\}", "{id}", path)) for method, path in ROUTES
    }
    known |= {
        path[: path.index("/", 1)] + end for path in known if "/" in path[1:] for end in ("", "/")
    }  # /v1/
    assert {path for path in bare if path not in known and not path.startswith("/documents/")} == set()


@each_page
def test_files_and_tests_that_are_named_exist(page: Path) -> None:
    named = re.findall(
        r"`((?:app|corpus|docs|eval|ingest|migrations|scripts|tests|web)/[\w./-]+\.\w+)(?:::(\w+))?`",
        text_of(page),
    )
    missing = []
    for path, test in named:
        file = ROOT / path
        if "NNNN" not in path and not (file.exists() and (not test or f"def {test}(" in text_of(file))):
            missing.append((path, test))
    assert missing == []


@pytest.mark.parametrize(
    "page", [ROOT / "docs/tuning.md", ROOT / "docs/tuning.zh.md"], ids=lambda page: page.name
)
def test_defaults_in_the_tuning_tables_are_those_of_the_settings(page: Path) -> None:
    checked = 0
    for line in text_of(page).splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        names = re.findall(r"`(PGASK_\w+)`", cells[1]) if len(cells) == 5 else []
        defaults = re.split(r"[、]|, ", cells[2]) if names else []
        for name, shown in zip(names, defaults, strict=False):
            default = SETTINGS[name].default
            if default is not None and default != "":
                assert shown.replace(",", "") == str(default), name
                checked += 1
    assert checked >= 12


@pytest.mark.parametrize("path", ADRS, ids=lambda path: path.name)
def test_a_decision_is_short_and_whole(path: Path) -> None:
    text = text_of(path)
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert len(text.splitlines()) <= 60
    assert text.startswith(f"# {int(path.name[:4])}. ")
    assert [h for h in headings if not h.startswith("Measured")] == [
        "Context",
        "Decision",
        "Consequences",
        "How to undo",
    ]


def test_no_two_decisions_have_the_same_number() -> None:
    numbers = [path.name[:4] for path in ADRS]
    assert len(numbers) >= 13
    assert sorted(set(numbers)) == numbers


def test_the_changelog_has_this_version_first() -> None:
    version = tomllib.loads(text_of(ROOT / "pyproject.toml"))["project"]["version"]
    assert re.findall(r"^## \[([^\]]+)\]", text_of(ROOT / "CHANGELOG.md"), re.MULTILINE)[0] == version


def test_each_page_of_the_handbook_is_there_in_both_languages_with_the_same_settings() -> None:
    english, chinese = (
        {
            page.name: set(re.findall(r"PGASK_\w+", text_of(page)))
            for page in HANDBOOK
            if page.parent.name == language
        }
        for language in ("en", "zh")
    )
    assert english == chinese


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_handbook_explains_every_reason_code(language: str) -> None:
    text = text_of(ROOT / "corpus" / language / "troubleshooting.md")
    assert {code for code in REASONS if f"| `{code}` |" not in text} == set()


@pytest.mark.parametrize("page", ["README.md", "README.zh.md"])
def test_f_1401_the_readme_names_the_setting_of_what_it_limits(page: str) -> None:
    """It said that there was no reranker."""
    (line,) = [line for line in text_of(ROOT / page).splitlines() if "PGASK_RERANK_MODEL" in line]
    assert line.startswith("- ")
