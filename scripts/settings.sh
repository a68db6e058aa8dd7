# What demo.sh and llm.sh share; read by `source`.

setting() { # the value of a setting: environment first, then .env, then $2
  local value=${!1:-}
  [ -n "$value" ] || [ ! -f .env ] || value=$(sed -n "s/^$1=//p" .env | tail -n 1)
  echo "${value:-$2}"
}

check_port() { # check_port PORT TARGET: ends with a line that says what to do where PORT is no number or in use
  case $1 in
    '' | *[!0-9]*) echo "PORT is not a number: $1. For example: make $2 PORT=8001" >&2; exit 1 ;;
  esac
  (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null || return 0
  local holder=""
  if command -v ss >/dev/null; then
    holder=$(ss -Hltnp "sport = :$1" 2>/dev/null | sed -nE 's/.*\(\("([^"]+)",pid=([0-9]+).*/ by \1 (process \2)/p' | head -n 1)
  elif command -v lsof >/dev/null; then
    holder=$(lsof -nP -iTCP:"$1" -sTCP:LISTEN -F pc 2>/dev/null | tr '\n' ' ' | sed -nE 's/p([0-9]+) c([^ ]+).*/ by \2 (process \1)/p')
  fi
  echo "Port $1 is in use$holder. Stop that program, or choose another port: make $2 PORT=$(($1 + 1))" >&2
  exit 1
}
