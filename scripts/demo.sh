#!/usr/bin/env bash
# `make demo`: from a fresh clone to the chat page. Installs, builds the page, migrates, ingests corpus/ and
# serves in the foreground until Ctrl-C; what an earlier call made is used again.
# PORT=… or PGASK_PORT (8000) and PGASK_HOME (~/.local/share/pgask) are honoured, also from .env.
set -euo pipefail
cd "$(dirname "$0")/.."

setting() { # the value of a setting: environment first, then .env, then $2
  local value=${!1:-}
  [ -n "$value" ] || [ ! -f .env ] || value=$(sed -n "s/^$1=//p" .env | tail -n 1)
  echo "${value:-$2}"
}

# What would fail at the end is found before the minutes of work at the beginning.
check_port() {
  (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null || return 0
  local holder=""
  if command -v ss >/dev/null; then
    holder=$(ss -Hltnp "sport = :$1" 2>/dev/null | sed -nE 's/.*\(\("([^"]+)",pid=([0-9]+).*/ by \1 (process \2)/p' | head -n 1)
  elif command -v lsof >/dev/null; then
    holder=$(lsof -nP -iTCP:"$1" -sTCP:LISTEN -F pc 2>/dev/null | tr '\n' ' ' | sed -nE 's/p([0-9]+) c([^ ]+).*/ by \2 (process \1)/p')
  fi
  echo "Port $1 is in use$holder. Stop that program, or choose another port: make demo PORT=$(($1 + 1))" >&2
  exit 1
}

check_home() { # tries it: a mode says nothing about a read-only disk, nor to root
  local probe
  if ! probe=$(umask 077 && mkdir -p "$1" 2>/dev/null && mktemp "$1/.writable.XXXXXX" 2>/dev/null); then
    echo "PGASK_HOME ($1) can't be written. Choose another folder: make demo PGASK_HOME=~/pgask" >&2
    exit 1
  fi
  rm -f "$probe"
}

port=${PORT:-$(setting PGASK_PORT 8000)}
case $port in
  '' | *[!0-9]*) echo "PORT is not a number: $port. For example: make demo PORT=8001" >&2; exit 1 ;;
esac
home=$(setting PGASK_HOME "${HOME:-/root}/.local/share/pgask")
home=${home/#\~/${HOME:-/root}}
check_port "$port"
[ -n "$(setting PGASK_DATABASE_URL "")" ] || check_home "$home"

scripts/setup.sh
.venv/bin/python scripts/build_web.py
.venv/bin/pgask migrate
.venv/bin/ingest corpus
exec .venv/bin/pgask serve --port "$port"
