# The commands around pgask. `make` or `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
PY := .venv/bin/python
WORKERS ?= 2

.PHONY: help setup fmt check test unit integration long e2e compose-test demo llm web web-check chart eval compare lock chaos chaos-report golden

help: ## list the commands
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | while IFS=$$'\t' read -r name text; \
		do printf '  make %-12s %s\n' "$$name" "$$text"; done

demo: ## install, ingest the bundled corpus and serve the chat page (PORT=8000, PGASK_HOME=…) until Ctrl-C
	@scripts/demo.sh

llm: ## serve a Llama by vLLM in an environment of its own (MODEL=…, PORT=8001; MODEL=smollm2 for a trial without a hub)
	@scripts/llm.sh

setup: ## make .venv with the locked packages (PYTHON=… names the interpreter)
	@scripts/setup.sh

web: setup ## build the chat page into app/static
	@$(PY) scripts/build_web.py

fmt: setup ## format the code and write .env.example anew
	@$(PY) -m ruff check --quiet --fix . || true
	@$(PY) -m ruff format --quiet .
	@$(PY) scripts/env_example.py

golden: setup ## write the statements of a search anew into tests/golden, for a review to see
	@$(PY) -m tests.statements

check: setup ## lint, types and import rules
	@$(PY) -m ruff format --check --quiet . || { echo "Not formatted: make fmt"; exit 1; }
	@$(PY) -m ruff check --quiet .
	@$(PY) -m mypy && $(PY) -m mypy scripts/*.py
	@.venv/bin/lint-imports --no-cache

web-check: setup ## types and unit tests of the chat page
	@$(PY) scripts/build_web.py check test

# rival_service.py runs in the environment of eval/bench/rivals.txt alone
unit: setup ## unit tests and doctests: no database, no network
	@$(PY) -m pytest -q -n $(WORKERS) --dist loadgroup -m "not long" --doctest-modules --ignore eval/bench/rival_service.py tests/unit app ingest eval

integration: setup ## tests on a real embedded PostgreSQL; two workers more, since many wait for processes
	@$(PY) -m pytest -q -n $$(($(WORKERS) + 2)) --dist loadgroup -m "not long" tests/integration

long: setup web ## the tests that take longest, which `make test` leaves out
	@$(PY) -m pytest -q -n $(WORKERS) --dist loadgroup -m long tests/unit tests/integration tests/e2e

e2e: setup web ## the chat page in a real Chromium (skipped where there is none)
	@if scripts/chromium.sh; then $(PY) -m pytest -q -n $(WORKERS) --dist loadfile -m "not long" tests/e2e; fi

# Helm's engine is no dependency: it comes into a folder of its own, 75 MB. What can't be had is said, and is no failure.
chart: setup ## deploy/helm rendered, and checked by Kubernetes' schemas
	@test -d .chart || $(PY) -m pip install -q --target .chart.new helm-python-sdk==0.2.2 kubernetes-validate==1.37.0 \
		&& { test -d .chart || mv .chart.new .chart; } || { echo "The chart was not rendered: Helm's engine can't be had"; exit 0; }; \
		PYTHONPATH=$(CURDIR)/.chart $(PY) -m pytest -q tests/unit/test_chart.py

compose-test: setup ## docker-compose.yml on a real Docker engine, a model server included (takes some minutes)
	@docker compose version >/dev/null && docker info >/dev/null || { echo "No Docker engine with Compose here: see docs/compose.md"; exit 2; }
	@$(PY) -m pytest -q --durations=8 tests/compose

test: setup ## all of these but `long` and `compose-test`; what .ci/run calls
	@$(MAKE) -j2 --output-sync=target check web-check chart
	@$(MAKE) unit integration e2e

chaos: setup ## crashes, rivals, full disks and hostile input at full size: SEED=1 SCALE=1 ONLY="fuzz worker …" (hours)
	@$(PY) -m tests.chaos --seed $${SEED:-1} --scale $${SCALE:-1} $${ONLY:+--only $$ONLY}

chaos-report: setup ## one page of all that is held, of what `make chaos` wrote: RUN_TESTS=1 runs the rows' tests too
	@$(PY) -m tests.chaos.report $${RUN_TESTS:+--run-tests}

eval: setup ## measure: make eval CORPUS=folder QUESTIONS=file.jsonl [LIMIT=300] [OUT=eval/out]
	@if [ -z "$${CORPUS:-}" ] || [ -z "$${QUESTIONS:-}" ]; then \
		echo "Name the corpus and its questions: make eval CORPUS=folder QUESTIONS=file.jsonl" >&2; exit 2; fi
	@.venv/bin/rag-eval run --corpus "$$CORPUS" --questions "$$QUESTIONS" --out "$${OUT:-eval/out}" \
		$${LIMIT:+--limit "$$LIMIT"}

compare: setup ## side by side with other systems: make compare DATA=folder [SETS=squad_dev:english] [LIMIT=200] [HAIKU=python3.12] [OUT=eval/out/compare]
	@if [ -z "$${DATA:-}" ]; then echo "Name the folder of the sets: make compare DATA=folder (docs/results.md)" >&2; exit 2; fi
	@test -d .rivals || python3.11 -m venv .rivals
	@.rivals/bin/pip install -q -r eval/bench/rivals.txt
	@test -z "$${HAIKU:-}" || test -d .rivals-haiku || "$$HAIKU" -m venv .rivals-haiku
	@test -z "$${HAIKU:-}" || .rivals-haiku/bin/pip install -q -r eval/bench/rivals_haiku.txt
	@$(PY) -m eval.bench.compare "$$DATA" --rivals .rivals/bin/python $${HAIKU:+--haiku .rivals-haiku/bin/python} --out "$${OUT:-eval/out/compare}" \
		$${SETS:+--sets "$$SETS"} $${LIMIT:+--limit "$$LIMIT"}

lock: setup ## write constraints.txt from what is installed in .venv
	@$(PY) scripts/lock.py
