#!/usr/bin/env bash
# `make demo`: from a fresh clone to the chat page. Installs, builds the page, migrates, serves in the foreground until
# Ctrl-C and takes corpus/ in meanwhile; what an earlier call made is used again.
# PORT=… or PGASK_PORT (8000) and PGASK_HOME (~/.local/share/pgask) are honoured, also from .env.
set -euo pipefail
cd "$(dirname "$0")/.."

source scripts/settings.sh

# What would fail at the end is found before the minutes of work at the beginning.
check_home() { # tries it: a mode says nothing about a read-only disk, nor to root
  local probe
  if ! probe=$(umask 077 && mkdir -p "$1" 2>/dev/null && mktemp "$1/.writable.XXXXXX" 2>/dev/null); then
    echo "PGASK_HOME ($1) can't be written. Choose another folder: make demo PGASK_HOME=~/pgask" >&2
    exit 1
  fi
  rm -f "$probe"
}

port=${PORT:-$(setting PGASK_PORT 8000)}
home=$(setting PGASK_HOME "${HOME:-/root}/.local/share/pgask")
home=${home/#\~/${HOME:-/root}}
check_port "$port" demo
[ -n "$(setting PGASK_DATABASE_URL "")" ] || check_home "$home"

scripts/setup.sh
.venv/bin/python scripts/build_web.py
.venv/bin/pgask migrate
# The page is there while the corpus still goes in; whoever stops one, stops the other.
.venv/bin/ingest corpus &
ingesting=$!
trap 'kill -TERM $ingesting 2>/dev/null && wait $ingesting || true' EXIT
.venv/bin/pgask serve --port "$port"
