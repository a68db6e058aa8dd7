#!/bin/sh
# Serves, with the model server beside it where there is one. A profile can't set a variable of another service, so
# after `docker compose --profile gpu up` the name `llm` is all there is to see; PGASK_LLM_BASE_URL always wins.
set -eu

if [ -z "${PGASK_LLM_BASE_URL:-}" ] && getent hosts llm >/dev/null; then
  export PGASK_LLM_BASE_URL=http://llm:8000/v1
fi
exec pgask serve
