"""`pgask` as a user calls it, on a database of the test's own: what it prints, on which stream, and its exit codes."""

from __future__ import annotations

import io
import json
import re
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from app.cli import main
from app.config import Settings
from app.embedding import SentenceTransformerEmbedder
from app.store.connection import Database, connect
from app.store.evaluations import keep_evaluation, list_trials
from app.store.migrate import current_revision, downgrade
from app.store.revisions import head_revision
from tests.fakes import FakeEmbedder, ScriptedLlm
from tests.integration.ingesting import ingest, open_collection
from tests.tiny_cross_encoder import save_cross_encoder

pytestmark = pytest.mark.integration

SOURCES = ["a.md", "b.md", "中文.md"]


class Done(NamedTuple):
    """How a call ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Pgask = Callable[..., Done]


@pytest.fixture
def pgask(
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> Pgask:
    """Calls `pgask` with nothing set but the database's addresses and the settings given as keywords."""
    for name in Settings.model_fields:
        monkeypatch.delenv(f"PGASK_{name.upper()}", raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PGASK_DATABASE_URL", database.app)
    monkeypatch.setenv("PGASK_OWNER_DATABASE_URL", database.owner)

    def call(*arguments: str, **settings: str) -> Done:
        for name, value in settings.items():
            monkeypatch.setenv(f"PGASK_{name.upper()}", value)
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        said = capsys.readouterr()
        return Done(int(ended.value.code or 0), said.out, said.err)

    return call


@pytest.fixture
def filled(database: Database, tmp_path: Path) -> Database:
    folder = tmp_path / "docs"
    folder.mkdir()
    for source in SOURCES:
        (folder / source).write_text(
            f"# About {source}\n\nLists and probes in {source}. 列表与探测。\n", "utf-8"
        )
    (folder / "empty.md").write_text("")
    assert len(ingest(database, folder).failed) == 1
    return database


def every_command() -> list[list[str]]:
    groups = {"keys": ["list", "create", "groups", "revoke"],
              "documents": ["list", "show", "delete"], "collections": ["list", "create", "delete"],
              "index": ["status", "rebuild", "tune"], "config": ["show"],
              "spaces": ["list", "add", "switch", "back", "drop"]}  # fmt: skip
    single = [
        [name]
        for name in ("serve", "ask", "search", "migrate", "doctor", "audit", "backup", "restore", "upgrade")
    ]
    return single + [[group, name] for group, names in groups.items() for name in names]


@pytest.mark.parametrize("command", every_command(), ids=" ".join)
def test_help_has_an_example_and_json(pgask: Pgask, command: list[str]) -> None:
    done = pgask(*command, "--help")
    assert done.code == 0
    assert "Example: " in done.out
    assert "--json" in done.out


class TestDocuments:
    @pytest.mark.usefixtures("filled")
    @pytest.mark.parametrize("command", [["documents"], ["documents", "list"]])
    def test_list(self, pgask: Pgask, tmp_path: Path, command: list[str]) -> None:
        done = pgask(*command)
        assert done.code == 0
        for word in (*SOURCES, "ready", "failed (empty)"):
            assert word in done.out
        found = pgask(*command, "--json").json["documents"]
        assert [item["source"] for item in found] == ["a.md", "b.md", "empty.md", "中文.md"]
        assert {item["root"] for item in found} == {str(tmp_path / "docs")}
        assert str(tmp_path / "docs") in done.out

    @pytest.mark.usefixtures("filled")
    def test_show_by_source_and_by_id(self, pgask: Pgask) -> None:
        by_source = pgask("documents", "show", "中文.md", "--json").json
        assert (by_source["source"], by_source["collection"]) == ("中文.md", "default")
        assert pgask("documents", "show", by_source["id"], "--json").json == by_source
        shown = pgask("documents", "show", "中文.md").out
        assert "About 中文.md" in shown
        assert f"root            {by_source['root']}\n" in shown

    def test_show_says_what_was_dropped_not_read_and_left_out(
        self, pgask: Pgask, database: Database, tmp_path: Path
    ) -> None:
        for name in ("a", "copy"):
            (tmp_path / f"{name}.md").write_text("Some\u202e text\u200b that\u200b is here.", "utf-8")
        ingest(database, tmp_path)
        with connect(database.app) as app:
            app.execute(
                "UPDATE pgask.documents SET unknown_tokens = 2, token_count = 8 WHERE source = 'a.md'"
            )
        shown = pgask("documents", "show", "a.md").out
        assert "dropped         bidi 1, zero_width 2\n" in shown
        assert "unknown_share   25.0%\n" in shown
        assert "the embedding model can't read this document" in shown
        copy = pgask("documents", "show", "copy.md")
        assert "status          duplicate\n" in copy.out
        assert "duplicate_of    a.md\n" in copy.out
        assert "is_unreadable" not in copy.out
        as_json = pgask("documents", "show", "copy.md", "--json").json
        assert (as_json["reason_detail"], as_json["unknown_share"]) == ('The same text as "a.md".', None)
        listed = pgask("documents").out
        assert re.search(r"copy\.md +duplicate +en", listed), listed

    @pytest.mark.usefixtures("filled")
    def test_delete(self, pgask: Pgask) -> None:
        assert pgask("documents", "delete", "a.md", "--yes").out == "deleted a.md\n"
        again = pgask("documents", "delete", "a.md", "--yes", "--json")
        assert (again.code, again.json["error"]["code"]) == (1, "not_found")
        assert again.err.startswith("pgask: ")
        assert len(pgask("documents", "--json").json["documents"]) == 3

    def test_all_that_an_account_sent_is_deleted_at_once(self, filled: Database, pgask: Pgask) -> None:
        with connect(filled.app) as connection:
            connection.execute("UPDATE pgask.documents SET sender = 'ann' WHERE source <> 'a.md'")
        sources = [one["source"] for one in pgask("documents", "--json").json["documents"]]
        assert re.search(r"^sender +ann$", pgask("documents", "show", sources[-1]).out, re.MULTILINE)
        assert pgask("documents", "delete", "--sender", "bob", "--yes").out.startswith("deleted 0 ")
        done = pgask("documents", "delete", "--sender", "ann", "--yes", "--json").json
        assert done == {"sender": "ann", "documents": len(sources) - 1}
        assert [one["source"] for one in pgask("documents", "--json").json["documents"]] == ["a.md"]
        for wrong in (("a.md", "--sender", "ann"), ()):
            assert pgask("documents", "delete", *wrong, "--yes").code == 2

    @pytest.mark.usefixtures("filled")
    @pytest.mark.parametrize(("said", "deleted"), [("", False), ("n\n", False), ("\n", False), ("y\n", True)])
    def test_without_yes_it_asks(
        self, pgask: Pgask, monkeypatch: pytest.MonkeyPatch, said: str, deleted: bool
    ) -> None:
        monkeypatch.setattr("sys.stdin", io.StringIO(said))
        assert pgask("documents", "delete", "a.md").code == (0 if deleted else 1)
        assert pgask("documents", "show", "a.md").code == (1 if deleted else 0)

    @pytest.mark.parametrize("name", ["nowhere.md", "00000000-0000-4000-8000-000000000000", "'; --"])
    def test_no_such_document(self, filled: Database, pgask: Pgask, name: str) -> None:
        done = pgask("documents", "show", name)
        assert (done.code, done.out, done.err.count("\n")) == (1, "", 1)

    def test_control_characters_never_reach_the_terminal(self, filled: Database, pgask: Pgask) -> None:
        with connect(filled.app) as connection:
            connection.execute(
                "UPDATE pgask.documents SET source = %s, title = %s WHERE source = 'a.md'",
                ["\x1b]0;evil\x07.md", "\x1b[2J"],
            )
        for done in (pgask("documents"), pgask("documents", "show", "\x1b]0;evil\x07.md")):
            assert done.code == 0
            assert "evil" in done.out
            assert "\x1b" not in done.out
            assert "\x07" not in done.out


class TestCollections:
    @pytest.mark.usefixtures("filled")
    def test_list_and_delete(self, pgask: Pgask) -> None:
        [found] = pgask("collections", "--json").json["collections"]
        assert (found["name"], found["documents"], found["model"]) == ("default", 4, "fake")
        assert "default" in pgask("collections", "list").out
        assert pgask("collections", "delete", "default", "--yes").out == "deleted default with 4 documents\n"
        assert pgask("collections", "delete", "default", "--yes").code == 1
        assert pgask("collections", "--json").json == {"collections": []}

    def test_create_for_the_configured_model(self, pgask: Pgask) -> None:
        refused = pgask("collections", "create", "handbook")
        assert refused.code == 2
        assert "pgask migrate" in refused.err
        assert pgask("migrate").code == 0
        assert pgask("collections", "create", "handbook", "--json").json["model"] == "all-MiniLM-L6-v2"
        again = pgask("collections", "create", "handbook", "--json")
        assert (again.code, again.json["error"]["code"]) == (2, "collection_exists")


class TestKeys:
    def test_made_listed_and_revoked(self, pgask: Pgask) -> None:
        made = pgask("keys", "create", "--name", "Ada", "--role", "writer", "--expires", "90d")
        key = made.out.strip()
        assert made.code == 0
        assert re.fullmatch(r"pgask_[\w-]{43}", key)
        assert "not shown again" in made.err
        listed = pgask("keys", "list")
        assert "Ada" in listed.out
        assert key not in listed.out
        assert key[:12] in listed.out
        assert pgask("keys", "revoke", key[:12]).out == f"revoked Ada ({key[:12]}…)\n"
        (row,) = pgask("keys", "list", "--json").json["keys"]
        assert (row["name"], row["role"], row["state"]) == ("Ada", "writer", "revoked")
        again = pgask("keys", "revoke", "Ada")
        assert (again.code, again.err.startswith("pgask: There is no key 'Ada'")) == (1, True)

    def test_the_record_has_what_was_done(self, pgask: Pgask) -> None:
        pgask("keys", "create", "--name", "Ada")
        (line,) = pgask("audit", "--json").json["audit"]
        assert (line["actor"], line["action"], line["target"]) == ("cli", "keys create", "key Ada")
        assert "keys create" in pgask("audit", "--since", "1h", "--actor", "cli").out
        assert pgask("audit", "--actor", "nobody", "--json").json == {"audit": []}

    @pytest.mark.parametrize(
        "wrong", [["--expires", "soon"], ["--expires", "0d"], ["--role", "owner"], ["--name", ""]]
    )
    def test_what_is_wrong_is_named(self, pgask: Pgask, wrong: list[str]) -> None:
        done = pgask("keys", "create", "--name", "Ada", *wrong)
        assert done.code == 2
        assert "Traceback" not in done.err
        assert pgask("keys", "list", "--json").json == {"keys": []}


class TestMigrate:
    def test_from_nothing_and_again(self, database: Database, pgask: Pgask) -> None:
        downgrade(database, "base")
        first = pgask("migrate", "--json").json
        assert (first["before"], first["after"]) == (None, head_revision())
        assert "already" in pgask("migrate").out
        with connect(database.app) as app:
            assert current_revision(app) == head_revision()

    def test_a_schema_from_the_future(self, database: Database, pgask: Pgask) -> None:
        with connect(database.owner) as owner:
            owner.execute("UPDATE pgask.alembic_version SET version_num = '9999'")
            owner.execute(
                "COMMENT ON TABLE pgask.alembic_version IS '9998'"
            )  # and no code of before works on it
        for command in (["migrate"], ["serve"], ["documents"]):
            done = pgask(*command)
            assert (done.code, done.err.count("\n")) == (2, 1), command
            assert done.err.startswith("pgask: The database schema")
        assert "newer pgask" in pgask("migrate").err

    @pytest.mark.parametrize(
        "command", [["serve"], ["ask", "Why?"], ["search", "Why?"], ["documents"], ["index"]]
    )
    def test_others_refuse_an_old_schema_of_another_s_database(
        self, database: Database, pgask: Pgask, command: list[str]
    ) -> None:
        downgrade(database, "base")
        done = pgask(*command)
        assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
        assert "Run: pgask migrate" in done.err


class TestServe:
    def test_it_is_open_to_this_machine_alone(self, pgask: Pgask) -> None:
        refused = pgask("serve", "--host", "0.0.0.0", "--json")
        assert refused.code == 2
        assert refused.json["error"]["code"] == "open_to_all"
        for way_out in ("PGASK_AUTH=keys", "pgask keys create", "PGASK_OPEN=true"):
            assert way_out in refused.err

    def test_a_port_in_use(self, pgask: Pgask) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
            done = pgask("serve", "--port", str(port))
        assert done.code == 2
        assert done.err.startswith(f"pgask: Port {port} is in use.")
        assert f"pgask serve --port {port + 1}" in done.err

    @pytest.mark.parametrize("host", ["no.such.host.invalid", "203.0.113.7"])
    def test_an_address_of_nobody(self, pgask: Pgask, host: str) -> None:
        done = pgask("serve", "--host", host, open="true")
        assert (done.code, done.err.count("\n")) == (2, 1)
        assert "PGASK_HOST" in done.err

    def test_vectors_of_another_model(self, filled: Database, pgask: Pgask) -> None:
        done = pgask("serve", "--json")
        assert (done.code, done.json["error"]["code"]) == (2, "embedding_mismatch")
        for word in ("'default'", "'fake'", "'all-MiniLM-L6-v2'", "pgask collections delete default"):
            assert word in done.err
        assert done.err.count("\n") == 1


class TestAsk:
    @pytest.mark.parametrize("command", ["ask", "search"])
    @pytest.mark.parametrize(
        "arguments", [["x" * 8_001], ["  "], ["Why?", "--top-k", "51"], ["Why?", "--top-k", "0"]]
    )
    def test_limits_are_those_of_the_api(self, pgask: Pgask, command: str, arguments: list[str]) -> None:
        done = pgask(command, *arguments)
        assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
        assert done.err.startswith("pgask: ")
        assert len(done.err) < 300

    @pytest.mark.model
    def test_answers_and_hits_with_their_sources(
        self, database: Database, pgask: Pgask, tmp_path: Path
    ) -> None:
        text = "# Lists\n\nThe square root of the rows is a good number of ivfflat lists.\n\n列表数取行数的平方根。\n"
        (tmp_path / "lists.md").write_text(text, "utf-8")
        embedder = SentenceTransformerEmbedder()
        assert ingest(database, tmp_path / "lists.md", embedder=embedder).new == 1
        question = "What is a good number of ivfflat lists?"
        reply = pgask("ask", question, "--json").json
        for citation in reply["citations"]:
            assert text[citation["char_start"] : citation["char_end"]] == citation["quote"]
        shown = pgask("ask", question).out
        assert "The square root of the rows" in shown
        assert "[1] lists.md" in shown
        assert f"{reply['citations'][0]['char_start']}-{reply['citations'][0]['char_end']}" in shown
        assert "1. lists.md" in pgask("search", question).out

    @pytest.mark.long
    @pytest.mark.model
    def test_explained_filtered_and_of_several_collections(
        self, database: Database, pgask: Pgask, tmp_path: Path
    ) -> None:
        (tmp_path / "lists.md").write_text(
            "# Lists\n\nThe square root of the rows is a good number.\n", "utf-8"
        )
        assert ingest(database, tmp_path / "lists.md", embedder=SentenceTransformerEmbedder()).new == 1
        question = "What is a good number?"
        assert pgask("search", question, "--json", "--top-k", "1").json["hits"][0]["source"] == "lists.md"
        assert pgask("search", question, "--source-prefix", "zz").out == ""
        explained = pgask("search", question, "--explain", "--neighbors", "1").out
        assert explained.startswith("1. lists.md")
        assert "\nterms: " in explained
        assert "\nexact, 1 chunks, 50 candidates a search, 0 reranked" in explained
        assert re.search(r"^ +1 +1 .* lists\.md, \d+$", explained, re.MULTILINE)
        assert "\nterms: " in pgask("ask", question, "--explain").out
        tree = '{"not": {"field": "source", "op": "prefix", "value": "lists"}}'
        assert "lists.md" not in pgask("search", question, "--filter", tree).out
        assert pgask("search", question, "--filter", '{"field": "source", "op": "exists"}').out
        for wrong, named in (
            ("{", "not valid JSON"),
            ('{"not": {"field": "text", "op": "exists"}}', "filter.not.field"),
        ):
            refused = pgask("search", question, "--filter", wrong)
            assert refused.code != 0
            assert named in refused.err
        assert "not both" in pgask("search", question, "--filter", tree, "--source-prefix", "x").err
        missing = pgask("ask", question, "--collection", "nowhere")
        assert (missing.code, missing.err.count("\n")) == (1, 1)
        assert pgask("collections", "create", "empty").code == 0
        assert "1. default · lists.md" in pgask("search", question, "--collection", "*").out
        several = "--collection", "empty", "--collection", "default"
        assert "[1] default · lists.md" in pgask("ask", question, *several).out
        assert pgask("search", question, *several, "--json").json["hits"][0]["collection"] == "default"


@pytest.mark.model
@pytest.mark.usefixtures("filled")
class TestSpaces:
    @pytest.mark.long
    def test_another_model_is_filled_switched_to_left_and_dropped(
        self, database: Database, pgask: Pgask
    ) -> None:
        (fake,) = pgask("spaces", "--json").json["spaces"]
        assert fake["state"] == "answers"
        added = pgask("spaces", "add", "english", "--json").json
        assert (added["model"], added["state"], added["documents_stored"]) == (
            "all-MiniLM-L6-v2",
            "filled",
            3,
        )
        with connect(database.owner) as owner:
            (trial,) = list_trials(owner, added["id"])
            keep_evaluation(owner, trial, [])
            assert pgask("spaces", "add", "english", "--json").json["documents_stored"] == 0
            assert [one.evaluation for one in list_trials(owner, added["id"])] == [None]
        assert pgask("spaces", "back", "--json").json["error"]["code"] == "no_former_space"
        assert [one["name"] for one in pgask("collections", "--json").json["collections"]] == ["default"]
        assert pgask("migrate", "--json").json["model"] == "all-MiniLM-L6-v2"  # what is configured
        assert (
            pgask("spaces", "switch", "--json").json["error"]["code"] == "config_error"
        )  # nothing to compare with
        assert "answers from now on" in pgask("spaces", "switch", "--force").out
        assert [one["state"] for one in pgask("spaces", "--json").json["spaces"]] == ["former", "answers"]
        found = pgask("search", "Which lists and probes are in a.md?", "--json").json
        assert found["hits"][0]["source"] == "a.md"
        checks = {check["check"]: check for check in pgask("doctor", "--json").json["checks"]}
        assert checks["stored vectors"]["detail"] == "agree with all-MiniLM-L6-v2"
        assert pgask("spaces", "back", "--json").json["answers"] == "fake"
        assert pgask("collections", "create", "later", "--json").json["model"] == "fake"
        migrated = pgask("migrate", "--json").json
        assert migrated["model"] == "fake"
        assert migrated["space"] == fake["id"]
        checks = {check["check"]: check for check in pgask("doctor", "--json").json["checks"]}
        assert not checks["chosen model"]["ok"]  # there is no model of that name
        assert "pgask spaces back" in checks["chosen model"]["fix"]
        assert pgask("spaces", "drop", "--yes", "--json").json["dropped"] == "all-MiniLM-L6-v2"
        assert [one["model"] for one in pgask("spaces", "--json").json["spaces"]] == ["fake"]

    @pytest.mark.parametrize("command", ["evaluate", "switch", "back", "drop"])
    def test_without_a_second_space_the_way_to_one_is_told(self, pgask: Pgask, command: str) -> None:
        refused = pgask("spaces", command, "--json")
        assert (refused.code, refused.json["error"]["code"]) == (2, "no_second_space")
        assert "pgask spaces add MODEL" in refused.err


class TestIndex:
    def test_few_rows_are_searched_exactly(self, filled: Database, pgask: Pgask) -> None:
        [space] = pgask("index", "--json").json["spaces"]
        assert (space["model"], space["collections"], space["index"]["lists"]) == ("fake", 1, None)
        assert "exact" in pgask("index", "status").out
        for command in ("rebuild", "tune"):
            assert pgask("index", command).code == 0
            refused = pgask("index", command, "--space", str(space["id"]))
            assert (refused.code, refused.err.count("\n")) == (2, 1)
        assert pgask("index", "status", "--space", "999").code == 1

    def test_build_by_force_and_tune(self, filled: Database, pgask: Pgask) -> None:
        built = pgask("index", "rebuild", "--force", "--json").json["spaces"][0]["index"]
        assert built["lists"] == 10
        assert built["recall"] is not None
        tuned = pgask("index", "tune", "--json", index_target_recall="0.5").json["spaces"][0]["index"]
        assert tuned["lists"] == 10
        assert 1 <= tuned["probes"] <= built["probes"]
        lines = [line.split("  ") for line in pgask("index").out.splitlines()]
        shown = {words[0]: words[-1].strip() for words in lines}
        assert shown["lists"] == "10"
        assert shown["probes"] == str(tuned["probes"])
        assert shown["recall@10"].startswith(f"{tuned['recall']:.3f} (")
        assert shown["target"] == "0.5"
        assert {"p50, p95", "size", "built", "measured", "changed since"} <= set(shown)

    def test_the_curve_is_a_picture(self, filled: Database, pgask: Pgask, tmp_path: Path) -> None:
        picture = tmp_path / "recall.png"
        assert pgask("index", "status", "--plot", str(picture)).code == 2  # no index, nothing to draw
        assert not picture.exists()
        pgask("index", "rebuild", "--force")
        [space] = pgask("index", "status", "--plot", str(picture), "--json").json["spaces"]
        assert picture.read_bytes().startswith(b"\x89PNG\r\n")
        efforts = [point["effort"] for point in space["curve"]]
        assert efforts == sorted(set(efforts))
        assert efforts[0] == 1
        assert space["curve"][-1]["recall"] >= 0.999
        refused = pgask("index", "status", "--plot", str(tmp_path / "nowhere" / "recall.png"))
        assert (refused.code, "can't be written" in refused.err) == (2, True)


class TestConfig:
    @pytest.mark.parametrize("command", [["config"], ["config", "show"]])
    def test_secrets_are_left_out(self, database: Database, pgask: Pgask, command: list[str]) -> None:
        secret = database.app.split(":")[2].split("@")[0]
        for options in ([], ["--json"]):
            llm = "http://me:hunter2@127.0.0.1:1/v1?api_key=hunter2"
            done = pgask(*command, *options, llm_api_key="sk-hunter2", llm_base_url=llm)
            assert done.code == 0
            assert secret not in done.out
            assert "hunter2" not in done.out
            assert "password=***" in done.out
            assert "pgask_app" in done.out
        assert set(pgask(*command, "--json").json) == {
            f"PGASK_{name.upper()}" for name in Settings.model_fields
        }

    def test_a_wrong_setting_is_one_line(self, pgask: Pgask) -> None:
        done = pgask("config", port="99999")
        assert (done.code, done.err.count("\n")) == (2, 1)
        assert "PGASK_PORT" in done.err

    def test_f_1205_a_mistyped_address_of_the_database_is_one_line_too(self, pgask: Pgask) -> None:
        """F-1205: it was a traceback, with the password in it; whatever the command."""
        for command in ("config", "doctor", "ask"):
            done = pgask(command, *["x"] * (command == "ask"), database_url="postgresql://u:hunter2%zz@h/db")
            assert (done.code, done.err.count("\n"), "hunter2" in done.err + done.out) == (2, 1, False)
            assert "PGASK_DATABASE_URL is not a connection address" in done.err


class TestDoctor:
    @pytest.mark.model
    def test_all_is_well(self, pgask: Pgask) -> None:
        assert pgask("migrate").code == 0
        with ScriptedLlm() as llm:
            found = pgask("doctor", "--json", llm_base_url=llm.base_url).json["checks"]
        checks = {check["check"]: check for check in found}
        wrong = {name for name, check in checks.items() if not check["ok"]}
        assert wrong <= {"chat page"}  # not built where only these tests run
        assert checks["language model"]["detail"].startswith("scripted-llama")
        assert {
            "Python",
            "processor",
            "embedding model",
            "database",
            "versions",
            "role",
            "migrations",
            "stored vectors",
        } <= set(checks)

    @pytest.mark.model
    def test_each_fault_has_its_fix(self, database: Database, pgask: Pgask) -> None:
        open_collection(database, FakeEmbedder())
        downgrade(database, "base")
        settings = {"llm_base_url": "http://127.0.0.1:9/v1", "database_url": database.owner}
        done = pgask("doctor", "--json", **settings)
        assert done.code == 1
        fixes = {check["check"]: check["fix"] for check in done.json["checks"] if not check["ok"]}
        assert fixes["migrations"] == "Run: pgask migrate"
        assert "PGASK_LLM_BASE_URL" in fixes["language model"]
        assert all(fixes.values())
        assert "✗ migrations: " in pgask("doctor").out

    def test_a_role_that_may_too_much_and_a_model_of_nobody(
        self, database: Database, pgask: Pgask, tmp_path: Path
    ) -> None:
        (tmp_path / "empty").mkdir()
        settings = {"database_url": database.owner, "embedding_model": str(tmp_path / "empty")}
        checks = {check["check"]: check for check in pgask("doctor", "--json", **settings).json["checks"]}
        assert not checks["role"]["ok"]
        assert "owner of the schema" in checks["role"]["detail"]
        assert "PGASK_OWNER_DATABASE_URL" in checks["role"]["fix"]
        assert not checks["embedding model"]["ok"]

    @pytest.mark.long
    def test_the_reranking_model(self, pgask: Pgask, tmp_path: Path) -> None:
        (tmp_path / "empty").mkdir()
        empty = str(tmp_path / "empty")

        def reranking(**settings: str) -> dict[str, Any] | None:
            found = pgask("doctor", "--json", embedding_model=empty, **settings).json["checks"]
            return next((check for check in found if check["check"] == "reranking model"), None)

        assert reranking() is None  # none is set, none is looked for
        model = str(save_cross_encoder(tmp_path))
        found = reranking(rerank_model=model, rerank_candidates="7", rerank_timeout_s="1.5")
        assert found is not None
        assert (found["ok"], found["fix"]) == (True, None)
        assert found["detail"] == f"{model}, reads 7 candidates in 1.5 s"
        found = reranking(rerank_model=empty)
        assert found is not None
        assert not found["ok"]
        assert "can't be loaded" in found["detail"]
        assert "PGASK_RERANK_MODEL" in found["fix"]

    def test_no_database(self, pgask: Pgask, tmp_path: Path) -> None:
        nowhere = f"postgresql://u:hunter2@/d?host={tmp_path}"
        settings = {"database_url": nowhere, "embedding_model": str(tmp_path)}
        done = pgask("doctor", **settings)
        assert done.code == 1
        assert "✗ database: PostgreSQL can't be reached" in done.out
        assert "hunter2" not in done.out
        assert pgask("documents").code == 2
