"""The embedder: offsets, unit rows, limits and prefixes of the bundled model; what a model folder must hold."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer
from tokenizers.models import BPE

from app.embedding import PIECE_CHARS, Embedder, SentenceTransformerEmbedder, _pieces, _unreadable_ids
from app.encoders.model_folder import weights_sha256
from app.errors import ConfigError
from tests.fakes import FakeEmbedder
from tests.streams import check_streams


@pytest.mark.parametrize(
    ("text", "unreadable"), [("plain text\n", 0), ("向 text", 3), ("é", 2), ("a 向量 b", 6)]
)
def test_bytes_of_a_character_are_unreadable_but_not_those_of_ascii(text: str, unreadable: int) -> None:
    vocabulary = {"<unk>": 0, **{f"<0x{byte:02X}>": byte + 1 for byte in range(256)}}
    letters = {letter: 300 + place for place, letter in enumerate("abcdefghijklmnopqrstuvwxyz ")}
    tokenizer = Tokenizer(BPE(vocabulary | letters, [], unk_token="<unk>", byte_fallback=True))
    ids = tokenizer.encode(text, add_special_tokens=False).ids
    assert int(np.isin(ids, _unreadable_ids(0, tokenizer)).sum()) == unreadable


def test_a_tokenizer_without_bytes_has_its_unknown_token_alone() -> None:
    tokenizer = Tokenizer(BPE({"a": 0, "[UNK]": 1}, [], unk_token="[UNK]"))
    assert _unreadable_ids(1, tokenizer).tolist() == [1]
    assert _unreadable_ids(None, tokenizer).tolist() == []


def test_weights_of_one_file_have_its_own_sha256(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    assert weights_sha256(tmp_path) == hashlib.sha256(b"weights").hexdigest()


def test_weights_of_several_files_depend_on_each(tmp_path: Path) -> None:
    (tmp_path / "model-1.safetensors").write_bytes(b"one")
    (tmp_path / "model-2.safetensors").write_bytes(b"two")
    before = weights_sha256(tmp_path)
    (tmp_path / "model-2.safetensors").write_bytes(b"three")
    assert weights_sha256(tmp_path) != before


def test_a_folder_without_weights_is_refused_by_the_setting_s_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="PGASK_EMBEDDING_MODEL"):
        SentenceTransformerEmbedder(str(tmp_path))


def test_a_folder_without_a_configuration_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    with pytest.raises(ConfigError, match="not the folder of a sentence-transformers model"):
        SentenceTransformerEmbedder(str(tmp_path))


def test_the_space_is_known_before_the_model_is_loaded(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    (tmp_path / "config.json").write_text(json.dumps({"hidden_size": 12}))
    space = SentenceTransformerEmbedder(str(tmp_path), query_prefix="query: ").space
    assert (space.dimension, space.query_prefix, space.normalized) == (12, "query: ", True)
    with pytest.raises(ConfigError, match="can't be loaded"):
        SentenceTransformerEmbedder(str(tmp_path)).load()


def test_the_fake_embedder_is_an_embedder() -> None:
    embedder: Embedder = FakeEmbedder()
    text = "Lists 列表 lists."
    tokens = embedder.tokenize(text)
    assert [text[a:b] for a, b in zip(tokens.starts, tokens.ends, strict=True)] == [
        "Lists",
        "列",
        "表",
        "lists",
        ".",
    ]
    vectors = embedder.embed_passages(["lists and rows", "rows and lists", "probes"])
    assert vectors[0] == pytest.approx(vectors[1], abs=1e-6)
    assert vectors[0] @ vectors[2] < 0.9


@pytest.fixture(scope="module")
def embedder() -> SentenceTransformerEmbedder:
    made = SentenceTransformerEmbedder(runtime="torch")
    made.load()
    return made


@pytest.mark.model
def test_tokens_point_at_their_characters(embedder: SentenceTransformerEmbedder) -> None:
    text = "  Ivfflat lists, 1,000 rows.\n\nCafé 👩\u200d👧 end"
    tokens = embedder.tokenize(text)
    words = [text[a:b] for a, b in zip(tokens.starts, tokens.ends, strict=True)]
    assert "".join(words).replace("\u200d", "") == "".join(text.split()).replace("\u200d", "")
    assert tokens.ids.dtype == tokens.starts.dtype == tokens.ends.dtype == np.int32
    assert (tokens.starts[1:] >= tokens.ends[:-1]).all()
    assert len(embedder.tokenize("")) == 0
    assert len(embedder.tokenize("word " * 2_000)) == 2_000  # nothing is cut off


@pytest.mark.model
def test_chinese_is_unknown_to_the_bundled_model(embedder: SentenceTransformerEmbedder) -> None:
    tokens = embedder.tokenize("如何选择分块大小？")
    assert tokens.unknown > len(tokens) / 4
    assert embedder.tokenize("How to choose?").unknown == 0


@pytest.mark.model
def test_rows_have_unit_length_in_the_order_given(embedder: SentenceTransformerEmbedder) -> None:
    texts = ["a long text about databases and their indexes " * 6, "short", "cats and dogs"]
    together = embedder.embed_passages(texts)
    assert together.shape == (3, embedder.space.dimension) == (3, 384)
    assert np.linalg.norm(together, axis=1) == pytest.approx(np.ones(3), abs=1e-3)
    for row, text in enumerate(texts):
        assert together[row] @ embedder.embed_passages([text])[0] > 0.999
    assert embedder.embed_windows([]).shape == (0, 384)


@pytest.mark.long
@pytest.mark.model
def test_many_windows_are_encoded_side_by_side_as_each_alone(embedder: SentenceTransformerEmbedder) -> None:
    check_streams(embedder)


@pytest.mark.model
def test_near_meanings_are_near(embedder: SentenceTransformerEmbedder) -> None:
    question = embedder.embed_queries(["How do I save my data?"])[0]
    near, far = embedder.embed_passages(["Make a backup of the database.", "The cat sleeps on the sofa."])
    assert question @ near > question @ far + 0.2


@pytest.mark.model
def test_windows_are_what_passages_are(embedder: SentenceTransformerEmbedder) -> None:
    text = "Use one list for every thousand rows."
    windows = embedder.embed_windows([embedder.tokenize(text).ids])
    assert windows[0] @ embedder.embed_passages([text])[0] > 0.999


@pytest.mark.model
def test_a_window_that_is_too_long_is_refused_not_cut(embedder: SentenceTransformerEmbedder) -> None:
    ids = embedder.tokenize("word " * (embedder.window_tokens + 1)).ids
    assert embedder.window_tokens == 254
    assert embedder.embed_windows([ids[:-1]]).shape == (1, 384)
    with pytest.raises(ValueError, match="longer than the 254"):
        embedder.embed_windows([ids])


@pytest.mark.model
def test_prefixes_are_read_and_take_room(embedder: SentenceTransformerEmbedder) -> None:
    prefixed = SentenceTransformerEmbedder(
        runtime="torch", query_prefix="search for: ", passage_prefix="text: "
    )
    assert prefixed.window_tokens == embedder.window_tokens - 3
    asked = prefixed.embed_queries(["ivfflat lists"])[0]
    assert asked @ embedder.embed_queries(["search for: ivfflat lists"])[0] > 0.999
    assert prefixed.embed_passages(["lists"])[0] @ embedder.embed_passages(["text: lists"])[0] > 0.999
    assert prefixed.space != embedder.space


@pytest.mark.parametrize(
    "text",
    [
        "",
        "short",
        "a b\n" * 200_000,
        "word " * 300_000,
        "字" * 600_000,
        "x" * 251_000 + " end",
        "\n" * 400_000,
    ],
)
def test_pieces_are_the_text_and_bounded(text: str) -> None:
    pieces = list(_pieces(text))
    assert "".join(text[start:end] for start, end in pieces) == text
    assert all(end - start <= PIECE_CHARS for start, end in pieces)
    assert all(start < end for start, end in pieces) or text == ""


@pytest.mark.model
def test_a_long_text_has_the_tokens_of_its_parts(embedder: SentenceTransformerEmbedder) -> None:
    line = "Ivfflat lists, 1,000 rows; 如何选择分块大小？ Café-au-lait costs €3.14.\n"
    text = line * (2 * PIECE_CHARS // len(line))
    tokens, once = embedder.tokenize(text), embedder.tokenize(line)
    repeats = 2 * PIECE_CHARS // len(line)
    assert tokens.ids.tolist() == once.ids.tolist() * repeats
    assert tokens.unknown == once.unknown * repeats
    assert [text[a:b] for a, b in zip(tokens.starts, tokens.ends, strict=True)] == [
        line[a:b] for a, b in zip(once.starts, once.ends, strict=True)
    ] * repeats
