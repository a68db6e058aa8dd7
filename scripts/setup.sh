#!/usr/bin/env bash
# Make .venv with everything in constraints.txt. Does nothing where that has been done for the same files.
# PYTHON=… names the interpreter; else the first of python3.11 to python3.13 and python3 that is new enough.
set -euo pipefail
cd "$(dirname "$0")/.."

stamp=.venv/.setup-stamp
wanted=$(cat pyproject.toml constraints.txt scripts/setup.sh | cksum)
if [ -x .venv/bin/python ] && [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]; then
  exit 0
fi

new_enough() { [ "$("$1" -c 'import sys; print(sys.version_info >= (3, 11))' 2>/dev/null)" = True ]; }
version_of() { "$1" -c 'import sys; print("%s %d.%d" % (sys.argv[1], *sys.version_info[:2]))' "$1" 2>/dev/null || true; }

found=""
python=""
for candidate in ${PYTHON:-python3.11 python3.12 python3.13 python3 python}; do
  if command -v "$candidate" >/dev/null && new_enough "$candidate"; then
    python=$candidate
    break
  fi
  found="$found $(version_of "$candidate")"
done
if [ -z "$python" ]; then
  found=$(echo "$found" | xargs)
  echo "pgask needs Python 3.11 or newer; found ${found:-none}; set PYTHON=/path/to/python3.11" >&2
  exit 1
fi

if ! .venv/bin/python -c 'import pip' 2>/dev/null || ! new_enough .venv/bin/python; then
  if ! said=$("$python" -m venv --clear .venv 2>&1); then
    rm -rf .venv
    echo "$python can't make a virtual environment (${said%%$'\n'*}). On Debian and Ubuntu: apt install python3-venv" >&2
    exit 1
  fi
fi

echo "Installing the Python packages into .venv (the first time this takes a few minutes)"
pip() { .venv/bin/python -m pip --disable-pip-version-check "$@"; }
pip install --quiet --constraint constraints.txt --upgrade pip # --group below needs 25.1
pip install --quiet --constraint constraints.txt --editable . --group dev
echo "$wanted" >"$stamp"
