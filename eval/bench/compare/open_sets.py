"""Make a set for the comparison from a file in SQuAD's form, in which SQuAD 1.1 and 2.0, XQuAD and CMRC 2018 come.

    python -m eval.bench.compare.open_sets dev-v1.1.json DATA/squad_dev [--suffix .md]

Each article becomes one file: its title, then its paragraphs, with an empty line between them. Questions keep their
ids; those that SQuAD 2.0 marks as impossible are unanswerable.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer


def read_article(article: Mapping[str, Any], source: str) -> tuple[str, list[dict[str, Any]]]:
    """An article's text and its questions, with the place of each one's paragraph in the text.

    >>> text, questions = read_article({"title": "A_b", "paragraphs": [{"context": "One.", "qas": [
    ...     {"id": "1", "question": "What?", "answers": [{"text": "One"}]}]}]}, "a.md")
    >>> text, questions[0]["context_start"], questions[0]["context_end"], questions[0]["answers"]
    ('# A b\\n\\nOne.\\n', 7, 11, ['One'])
    """
    text = f"# {str(article['title']).replace('_', ' ')}\n"
    questions = []
    for paragraph in article["paragraphs"]:
        context = str(paragraph["context"]).strip()
        start = len(text) + 1
        text += f"\n{context}\n"
        for asked in paragraph["qas"]:
            impossible = bool(asked.get("is_impossible", False))
            answers = [] if impossible else list(dict.fromkeys(a["text"] for a in asked["answers"]))
            questions.append(
                {
                    "id": str(asked["id"]),
                    "question": asked["question"],
                    "answers": answers,
                    "answerable": not impossible,
                    "doc": source,
                    "context": context,
                    "context_start": start,
                    "context_end": start + len(context),
                }
            )
    return text, questions


def articles(told: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The articles with a file name for each; CMRC 2018 has one paragraph an article and no titles worth a name."""
    for number, article in enumerate(told["data"]):
        title = str(article.get("title") or "")
        name = re.sub(r"[^\w.-]+", "_", title)[:80] or f"{number:05}"
        yield f"{number:04}-{name}", {**article, "title": title or f"{number:05}"}


def main(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A file in SQuAD's form.")],
    folder: Annotated[Path, typer.Argument(help="Where the set goes: corpus/ and questions.jsonl.")],
    suffix: Annotated[str, typer.Option(help="Of the corpus' files.")] = ".md",
) -> None:
    """Write the set."""
    corpus = folder / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    with (folder / "questions.jsonl").open("w", encoding="utf-8") as out:
        for name, article in articles(json.loads(file.read_text("utf-8"))):
            text, questions = read_article(article, name + suffix)
            (corpus / (name + suffix)).write_text(text, "utf-8")
            out.writelines(json.dumps(question, ensure_ascii=False) + "\n" for question in questions)


if __name__ == "__main__":
    typer.run(main)
