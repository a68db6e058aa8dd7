"""app.sqlstates: each code has words in both languages and a line in the docs; what is no fault goes on."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from app.api.problem_texts import TITLES
from app.api.problems import fault_of, problem_body
from app.api.store_problem_texts import STORE_WORDS
from app.errors import SchemaError, StoreBusyError, StoreError, StoreUnavailableError
from app.sqlstates import BUSY, REFUSALS, refusal_at_connect, refusal_of, store_errors

DOCS = Path(__file__).parents[2] / "docs/errors.md"
CODES = {code for code, _ in REFUSALS.values()} | {BUSY[0]}


def test_f_201_every_code_has_words_and_a_line_in_the_docs() -> None:
    assert set(STORE_WORDS) | {"schema_mismatch"} == CODES
    assert set(TITLES) >= CODES
    lines = [line for line in DOCS.read_text("utf-8").splitlines() if line.startswith("| `")]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    states: dict[str, list[str]] = {}
    for state, (code, _) in REFUSALS.items():
        states.setdefault(code, []).append(state if len(state) == 5 else f"{state}…")
    assert rows == [
        [f"`{code}`", ", ".join(sorted(states.get(code, []))) or "–", english, chinese]
        for code, (english, chinese) in STORE_WORDS.items()
    ]


@pytest.mark.parametrize("code", sorted(CODES - {"schema_mismatch"}))
def test_f_201_clients_get_general_words_in_their_language(code: str) -> None:
    fault = fault_of(StoreError("role admin of 10.0.0.7", code=code))
    assert (fault.code, fault.status, fault.retry_after_s) == (code, 503, 5)
    english, chinese = (problem_body(fault, "r", chinese=wanted)["detail"] for wanted in (False, True))
    assert (english, chinese) == STORE_WORDS[code]


@pytest.mark.parametrize(
    ("state", "code", "kind"),
    [
        ("57P01", "store_unavailable", StoreUnavailableError), ("57P03", "store_unavailable", StoreUnavailableError),
        ("08006", "store_unavailable", StoreUnavailableError), ("40001", "write_conflict", StoreBusyError),
        ("40P01", "deadlock", StoreBusyError), ("55P03", "lock_timeout", StoreBusyError),
        ("53400", "database_limit", StoreError), ("XX002", "data_corrupted", StoreError),
        ("XX000", "database_fault", StoreError), ("42P01", "schema_mismatch", SchemaError),
        ("42P05", "transaction_pooler", StoreError), ("26000", "transaction_pooler", StoreError),
        ("55006", "store_error", StoreError), ("25P02", "store_error", StoreError),
    ],
)  # fmt: skip
def test_f_201_by_sqlstate(state: str, code: str, kind: type[StoreError]) -> None:
    refusal = refusal_of(psycopg.errors.lookup(state)("what PostgreSQL says.\nDETAIL: more"))
    assert (type(refusal), refusal and refusal.code) == (kind, code)
    assert "DETAIL" not in str(refusal)


@pytest.mark.parametrize("state", ["54000", "22003", "23503", "42601"])
def test_what_it_says_of_statements_and_values_goes_on(state: str) -> None:
    error = psycopg.errors.lookup(state)("no")
    assert refusal_of(error) is None
    with pytest.raises(type(error)), store_errors():
        raise error


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("FATAL:  sorry, too many clients already", "too_many_connections"),
        ("FATAL:  remaining connection slots are reserved for roles with the SUPERUSER attribute",
         "too_many_connections"),
        ("致命错误:  对不起, 已经有太多的客户", "too_many_connections"),
        ('致命错误:  由角色"pgask_app"发起的连接太多了', "too_many_connections"),
        ('FATAL:  permission denied for database "pgask"', "missing_privilege"),
        ("FATAL:  could not write init file: No space left on device", "disk_full"),
        ("connection refused", "store_unavailable"),
    ],
)  # fmt: skip
def test_f_201_by_what_a_refused_connection_says(said: str, code: str) -> None:
    assert refusal_at_connect(psycopg.OperationalError(f"connection failed: {said}")).code == code


def test_a_busy_pool_has_a_code_of_its_own() -> None:
    assert BUSY[0] == StoreBusyError.default_code
