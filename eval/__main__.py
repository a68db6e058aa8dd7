"""The command `rag-eval`, also `python -m eval`: looks whether its packages are there before it imports them."""

from __future__ import annotations

import json
import sys
from importlib.util import find_spec
from typing import Final

PACKAGES: Final = ("ir_measures", "nltk", "rouge_score", "sacrebleu")  # the extra `eval` of pyproject.toml
MISSING: Final = [name for name in PACKAGES if find_spec(name) is None]

if MISSING:

    def main() -> None:
        """Say what is missing and how to get it. Ends by SystemExit 2."""
        detail = (
            f"Evaluation needs {', '.join(MISSING)}. Install what is missing with: pip install 'pgask[eval]'"
        )
        print(f"rag-eval: {detail}", file=sys.stderr)
        if "--json" in sys.argv:
            print(json.dumps({"error": {"code": "no_eval_packages", "detail": detail}}))
        raise SystemExit(2)

else:
    from eval.cli import main

if __name__ == "__main__":
    main()
