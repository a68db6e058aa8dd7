"""Languages in Latin letters, told by their commonest words; English is what is not clear."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from app.latin_languages import OTHERS, detect_latin
from app.letters import LANGUAGES, detect_language, is_other
from app.question.content import read_question
from tests.growth import assert_linear

ROOT = Path(__file__).parents[2]
QUESTIONS = [
    ("de", "Wie lange ist das Museum am Sonntag geöffnet?"),
    ("de", "Wo kann ich parken?"),
    ("de", "Was kostet das?"),
    ("fr", "À quelle heure ouvre la gare ?"),
    ("fr", "Combien coûte l’entrée pour un enfant ?"),
    ("es", "¿Dónde está la estación?"),
    ("es", "¿A qué hora cierra la biblioteca?"),
    ("it", "Quanto costa il biglietto?"),
    ("it", "Dov'è la stazione?"),
    ("pt", "Onde fica a estação?"),
    ("pt", "Quanto custa o bilhete?"),
    ("nl", "Hoeveel kost een kaartje?"),
    ("nl", "Waar is het station?"),
]
ENGLISH = [
    "What was the name of Charlemagne's favourite horse?",
    "Who wrote Les Misérables, and in what year?",
    "Where is the Rio de la Plata?",
    "What does 'c'est la vie' mean?",
    "Maria de los Angeles de la Cruz, Juan del Rio, Ana dos Santos",
    "Ludwig van der Rohe; Otto von der Heide; Die Zeit",
    "SELECT a FROM b WHERE c IN (1, 2) AND NOT d",
    "FM-40 2.4.0 scope_missing",
    "Öffnungszeiten",
    "",
]


@pytest.mark.parametrize(("language", "question"), QUESTIONS)
def test_a_question_tells_its_language(language: str, question: str) -> None:
    assert detect_language(question) == language
    assert is_other(question)


@pytest.mark.parametrize("text", ENGLISH)
def test_names_code_and_foreign_words_leave_a_text_english(text: str) -> None:
    assert detect_latin(text) == "en"


def test_most_words_decide_in_a_text_of_two_languages() -> None:
    english = "The title of the book is given with its year and the name of the place where it was printed."
    german = "Der Titel des Buches wird mit seinem Jahr und dem Namen des Ortes angegeben."
    assert detect_latin(f"{english} {english} {german}") == "en"
    assert detect_latin(f"{german} {german} Read more.") == "de"


def test_each_language_has_a_name_for_documents_and_filters() -> None:
    assert {*OTHERS, "en", "zh", "und"} == LANGUAGES


def test_german_nouns_are_no_names() -> None:
    """Issue 13.5: each noun of a German question had to stand in the answer as a name would."""
    assert read_question("Wie lange ist das Amt des Präsidenten besetzt?").names == frozenset()
    assert read_question("How long has the Museum been open?").names == {"museum"}


def test_the_time_grows_with_the_text() -> None:
    assert_linear(lambda size: partial(detect_latin, "mot l'eau et " * size), 100)


def test_each_language_has_a_name_in_trials_and_on_the_page() -> None:
    groups = (ROOT / "app/trial/comparison.py").read_text("utf-8")
    for language in OTHERS:
        assert f'"made:{language}"' in groups
        for page in ("en", "zh"):
            assert f' {language}: "' in (ROOT / f"web/src/i18n/{page}.ts").read_text("utf-8")
