"""Reads a WordNet of two entries in Debian's layout: the database format of wndb(5WN)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import nltk.data
import pytest

from eval.metrics import meteor
from eval.wordnet import NO_SYNONYMS, load_synonyms

SYNSET = "{offset:08d} 06 n 02 car 0 automobile 0 000 | a motor vehicle with four wheels\n"


@pytest.fixture
def debian_folder(tmp_path: Path) -> Iterator[Path]:
    for part in ("noun", "verb", "adj", "adv"):
        for name in (f"data.{part}", f"index.{part}", f"{part}.exc"):
            (tmp_path / name).touch()
    licence = "  1 The licence stands at the top of the real file.\n"
    (tmp_path / "data.noun").write_text(licence + SYNSET.format(offset=len(licence)))
    entries = "".join(f"{word} n 1 0 1 0 {len(licence):08d}\n" for word in ("automobile", "car"))
    (tmp_path / "index.noun").write_text(licence + entries)
    (tmp_path / "cntlist.rev").touch()
    before = list(nltk.data.path)
    yield tmp_path
    nltk.data.path[:] = before


def has_nltk_wordnet() -> bool:
    try:
        nltk.data.find("corpora/wordnet.zip")
    except LookupError:
        return False
    return True


@pytest.mark.skipif(has_nltk_wordnet(), reason="NLTK's own WordNet is found first")
class TestWithoutNltksData:
    def test_debians_files_are_read(self, debian_folder: Path) -> None:
        found = load_synonyms(debian_folder)
        assert found.name == "exact, stem and WordNet synonyms"
        assert found.synonyms("cars") == {"car", "automobile"}
        assert found.synonyms("lorry") == frozenset()
        assert meteor("one automobile", ["one car"], found) > meteor(
            "one automobile", ["one car"], NO_SYNONYMS
        )

    def test_nothing_is_found_where_nothing_is(self, tmp_path: Path) -> None:
        assert load_synonyms(tmp_path) is NO_SYNONYMS
        assert NO_SYNONYMS.synonyms("car") == frozenset()
