"""Standard scores: the same for models that differ in scale and place alone, and sound for small and narrow samples."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from app.search.standard import Background, standard_of
from app.store.backgrounds import background_texts

DIMENSION = 32


def units(vectors: NDArray[np.floating]) -> NDArray[np.float32]:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True), dtype=np.float32)


def made(seed: int, count: int) -> NDArray[np.float32]:
    return units(np.random.default_rng(seed).normal(size=(count, DIMENSION)))


def moved(vectors: NDArray[np.float32], offset: float) -> NDArray[np.float32]:
    """The same texts by a model whose numbers are turned about, and share a part that is the same for all texts."""
    turned, _ = np.linalg.qr(np.random.default_rng(9).normal(size=(DIMENSION, DIMENSION)))
    same = np.full((len(vectors), 1), offset, dtype=np.float32)
    return units(np.hstack([vectors @ turned, same]))


@pytest.mark.parametrize("offset", [0.5, 2.0, 5.0])
def test_scale_and_place_of_cosines_do_not_matter(offset: float) -> None:
    texts, windows, questions = made(1, 48), made(2, 96), made(3, 20)
    plain = Background({"en": texts}, [{"en": windows}], [1])
    other = Background({"en": moved(texts, offset)}, [{"en": moved(windows, offset)}], [1])
    for question, its in zip(questions, moved(questions, offset), strict=True):
        cosine, its_cosine = float(windows[0] @ question), float(moved(windows, offset)[0] @ its)
        assert offset < 1 or its_cosine > cosine + 0.3
        score = plain.against(question)["en"].score(cosine)
        assert other.against(its)["en"].score(its_cosine) == pytest.approx(score, abs=0.01)


def test_a_collection_about_one_thing_is_near_to_questions_about_it() -> None:
    """All its windows share a part with the question; by them alone the nearest would be nothing special."""
    rng = np.random.default_rng(4)
    subject = made(5, 1)[0]
    windows = units(2 * subject + rng.normal(size=(90, DIMENSION)) / np.sqrt(DIMENSION))
    question = units(2 * subject + rng.normal(size=DIMENSION) / np.sqrt(DIMENSION))
    best = float((windows @ question).max())
    alone = (best - float((windows @ question).mean())) / float((windows @ question).std())
    score = Background({"en": made(6, 48)}, [{"en": windows}], [1]).against(question)["en"].score(best)
    assert score > 3 > alone


def test_a_few_windows_hardly_count_and_one_deviates_by_nothing() -> None:
    texts, question = made(7, 48), made(8, 1)[0]
    by_texts = Background({"en": texts}).against(question)["en"]
    with_one = Background({"en": texts}, [{"en": question[None, :]}], [1]).against(question)["en"]
    assert with_one.mean == pytest.approx(by_texts.mean, abs=0.03)
    assert 0.9 * by_texts.deviation < with_one.deviation <= by_texts.deviation
    assert with_one.score(1.0) > 3


def test_equal_vectors_leave_a_deviation() -> None:
    same = np.repeat(made(1, 1), 48, axis=0)
    standard = Background({"en": same}).against(same[0])["en"]
    assert standard.deviation > 0
    assert np.isfinite(standard.score(0.5))


def test_a_language_without_texts_is_measured_by_all() -> None:
    english, chinese, question = made(1, 48), made(2, 48), made(3, 1)[0]
    standards = Background({"en": english, "zh": chinese}).against(question)
    assert standards["und"].mean == pytest.approx((standards["en"].mean + standards["zh"].mean) / 2, abs=1e-6)
    assert standard_of(standards, "fr") == standards["und"]


def test_there_are_as_many_texts_in_each_language_and_none_twice() -> None:
    english, chinese = background_texts()["en"], background_texts()["zh"]
    assert len(english) == len(chinese) == len(set(english)) == len(set(chinese)) == 48
    assert all(20 < len(text) < 400 for text in (*english, *chinese))


def test_what_is_near_to_all_that_is_asked_in_another_language_is_told() -> None:
    """Passages in two languages lie in two places; a text between them is near to any question in the other one."""
    places = made(10, 2)
    en, zh = (units(3 * place + made(seed, 48)) for seed, place in enumerate(places))
    usual, between = units(3 * places[1] + made(11, 1)), units(places.sum(axis=0) + 0 * made(12, 1))
    background = Background({"en": en, "zh": zh}, [{"zh": zh}], [1])
    assert background.languages == {"zh"}
    plain, crowded = background.crowding(np.concatenate([usual, between]), "en", "zh")
    assert crowded > plain + 0.2
    assert abs(plain) < 0.2
    assert background.crowding(usual, "en", "und").tolist() == [0.0]
