"""The model run by OpenVINO: equal to torch, kept once, made anew where what was kept is broken."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from structlog.testing import capture_logs
from tokenizers import Tokenizer

from app.embedding import SentenceTransformerEmbedder
from app.encoders import openvino_kept, token_rows
from app.encoders.model_folder import find_model
from app.encoders.openvino_int8 import calibration_windows
from app.encoders.openvino_kept import _alone, _keep, _read
from app.errors import ConfigError
from tests.streams import check_streams

CORPUS = Path(__file__).parents[2] / "corpus"

installed = pytest.mark.skipif(
    importlib.util.find_spec("openvino") is None, reason="the extra `openvino` is not installed"
)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the bundled model converted."""
    folder = tmp_path_factory.mktemp("models")
    SentenceTransformerEmbedder(runtime="openvino", cache=folder).load()
    return folder


@pytest.fixture(scope="module")
def exact() -> SentenceTransformerEmbedder:
    """Torch in single precision."""
    return SentenceTransformerEmbedder(runtime="torch", dtype="float32")


def texts() -> list[str]:
    """Paragraphs of the bundled corpus, English and Chinese, of many lengths."""
    files = sorted(CORPUS.rglob("*.md"))
    paragraphs = [part for file in files for part in file.read_text("utf-8").split("\n\n") if part.strip()]
    return paragraphs[:: max(1, len(paragraphs) // 60)]


@installed
@pytest.mark.model
@pytest.mark.parametrize(("dtype", "least"), [("auto", 0.9999), ("float32", 0.99999)])
def test_vectors_are_torch_s(
    cache: Path, exact: SentenceTransformerEmbedder, dtype: str, least: float
) -> None:
    embedder = SentenceTransformerEmbedder(runtime="openvino", dtype=dtype, cache=cache)
    assert embedder.space == exact.space
    assert embedder.window_tokens == exact.window_tokens
    passages = texts()
    assert len(passages) > 40
    vectors = embedder.embed_passages(passages)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(len(passages)), abs=1e-5)
    cosines = (vectors * exact.embed_passages(passages)).sum(axis=1)
    assert cosines.mean() >= least
    assert cosines.min() >= 0.9995
    questions = ["How many lists?", "列表要多少？", ""]
    cosines = (embedder.embed_queries(questions) * exact.embed_queries(questions)).sum(axis=1)
    assert cosines.min() >= 0.9995


@installed
@pytest.mark.model
def test_many_windows_are_encoded_side_by_side_as_each_alone(cache: Path) -> None:
    check_streams(SentenceTransformerEmbedder(runtime="openvino", cache=cache))


@installed
@pytest.mark.model
def test_streams_are_the_first_thing_that_a_process_uses(cache: Path) -> None:
    """In several processes, since it was a race: two threads in the bindings' first call waited for each other."""
    program = (
        "import numpy as np; from pathlib import Path; from app.embedding import SentenceTransformerEmbedder as E\n"
        f"made = E(runtime='openvino', device='cpu', cache=Path({str(cache)!r}))\n"
        "made.tokenize('a'); import sys, threading; sys.setswitchinterval(1e-6); done = threading.Event()\n"
        "def spin():\n"
        "    while not done.is_set(): pass\n"
        "threading.Thread(target=spin, daemon=True).start()\n"
        "print(made.embed_windows([np.full(100, 2000, dtype=np.int32)] * 40).shape); done.set()"
    )
    for _ in range(3):
        done = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
        )
        assert done.stdout.splitlines()[-1] == "(40, 384)"


@installed
@pytest.mark.model
def test_tokens_are_torch_s(cache: Path, exact: SentenceTransformerEmbedder) -> None:
    embedder = SentenceTransformerEmbedder(runtime="openvino", cache=cache)
    for text in [*texts()[:10], "word " * 2_000]:
        ours, theirs = embedder.tokenize(text), exact.tokenize(text)
        assert ours.ids.tolist() == theirs.ids.tolist()
        assert ours.unknown == theirs.unknown


@installed
@pytest.mark.model
def test_a_kept_model_needs_neither_torch_nor_telemetry(cache: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from app.embedding import SentenceTransformerEmbedder as E\n"
        f"print(E(runtime='openvino', device='cpu', cache=Path({str(cache)!r})).embed_queries(['a']).shape)\n"
        "print(sorted(m for m in ('torch', 'transformers', 'openvino_telemetry') if sys.modules.get(m)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-2:] == ["(1, 384)", "[]"]


@pytest.mark.long
@installed
@pytest.mark.model
def test_a_vocabulary_outside_of_the_model_gives_the_same_vectors(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(token_rows, "LEAST_BYTES", 1 << 20)
    whole = SentenceTransformerEmbedder(runtime="openvino", cache=cache)
    folder = tmp_path / "kept"
    passages = texts()[::3]
    for _ in range(2):  # converted, and as it was kept
        made = SentenceTransformerEmbedder(runtime="openvino", cache=folder)
        assert (made.embed_passages(passages) == whole.embed_passages(passages)).all()
    (kept,) = folder.iterdir()
    sizes = {file.name: file.stat().st_size for file in kept.iterdir()}
    (before,) = cache.glob("ir-*/model.bin")
    assert sizes["model.bin"] < before.stat().st_size - 40_000_000
    content = (kept / "vocabulary.npy").read_bytes()
    (kept / "vocabulary.npy").write_bytes(content[:-1] + b"x")
    assert _read(kept) is None


@installed
@pytest.mark.model
def test_a_broken_kept_model_is_noticed_and_made_anew(cache: Path, tmp_path: Path) -> None:
    copied = shutil.copytree(cache, tmp_path / "models")
    (kept,) = copied.iterdir()
    assert _read(kept) is not None
    for file in sorted(kept.iterdir()):
        whole = file.read_bytes()
        file.write_bytes(whole[: len(whole) // 2])
        assert _read(kept) is None, file.name
        file.write_bytes(whole)
    (kept / "model.bin").write_bytes(b"")
    embedder = SentenceTransformerEmbedder(runtime="openvino", cache=copied)
    assert embedder.embed_queries(["lists"]).shape == (1, 384)
    assert _read(kept) is not None
    assert list(copied.iterdir()) == [kept]  # nothing half made is left


@installed
@pytest.mark.model
def test_a_cache_that_can_t_be_written_costs_only_the_next_conversion(cache: Path, tmp_path: Path) -> None:
    (kept,) = cache.iterdir()
    read = _read(kept)
    assert read is not None
    (tmp_path / "file").write_text("not a folder")
    with capture_logs() as logs:
        _keep(tmp_path / "file" / "models" / kept.name, *read)
    assert [log["event"] for log in logs] == ["OpenVINO model not kept, it is converted each time"]


def test_one_process_converts_at_a_time_and_a_killed_one_holds_nobody_up(tmp_path: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from app.encoders.openvino_kept import _alone\n"
        f"with _alone(Path({str(tmp_path)!r})): print('locked', flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "locked\n"
        entered = threading.Event()

        def enter() -> None:
            with _alone(tmp_path):
                entered.set()

        waiting = threading.Thread(target=enter)
        waiting.start()
        assert not entered.wait(0.5)
        other.kill()
        assert entered.wait(60)
        waiting.join()


@pytest.mark.long
@installed
@pytest.mark.model
def test_another_configuration_is_another_conversion(cache: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(find_model(None), tmp_path / "model")
    settings = json.loads((folder / "sentence_bert_config.json").read_text())
    (folder / "sentence_bert_config.json").write_text(json.dumps(settings | {"max_seq_length": 128}))
    copied = shutil.copytree(cache, tmp_path / "models")
    embedder = SentenceTransformerEmbedder(str(folder), runtime="openvino", cache=copied)
    assert embedder.window_tokens == 126
    assert len(list(copied.iterdir())) == 2


@installed
@pytest.mark.model
def test_a_conversion_that_differs_from_torch_is_dropped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.encoders.openvino_converting.LEAST_COSINE", 1.1)
    embedder = SentenceTransformerEmbedder(runtime="openvino", cache=tmp_path / "kept")
    with capture_logs() as logs:
        assert embedder.runtime.startswith("torch")
    assert [log["event"] for log in logs] == ["model runs by torch, OpenVINO can't"]
    assert not list((tmp_path / "kept").iterdir())


@pytest.mark.long
@pytest.mark.skipif(importlib.util.find_spec("nncf") is None, reason="the extra is not installed")
@pytest.mark.model
def test_int8_is_close_in_a_space_of_its_own(
    cache: Path,
    exact: SentenceTransformerEmbedder,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    kept = set(cache.iterdir())
    monkeypatch.setattr(openvino_kept, "calibration_windows", lambda *of: calibration_windows(*of)[:12])
    embedder = SentenceTransformerEmbedder(dtype="int8", cache=cache)
    with capture_logs():
        assert embedder.runtime == "openvino int8"
    assert capfd.readouterr().out == ""
    assert embedder.space == replace(exact.space, model="all-MiniLM-L6-v2 int8-1")
    passages = texts()[:20]
    cosines = (embedder.embed_passages(passages) * exact.embed_passages(passages)).sum(axis=1)
    assert 0.98 < cosines.mean() < 0.9999  # near, and not the same model under another name
    (made,) = set(cache.iterdir()) - kept
    monkeypatch.setattr(openvino_kept, "quantize", None)  # what is kept is not made again
    again = SentenceTransformerEmbedder(dtype="int8", cache=cache)
    assert (again.embed_queries(["lists"]) == embedder.embed_queries(["lists"])).all()
    assert made.is_dir()


@pytest.mark.long
@installed
@pytest.mark.model
def test_int8_that_loses_too_much_is_refused_not_replaced(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openvino_kept, "INT8_RECIPE", "another")
    monkeypatch.setattr(openvino_kept, "quantize", lambda ir, _: ir)
    monkeypatch.setattr(openvino_kept, "LEAST_INT8_COSINE", 1.1)
    with pytest.raises(ConfigError, match=r"PGASK_EMBEDDING_DTYPE=int8 \(cosine"):
        SentenceTransformerEmbedder(dtype="int8", cache=cache).load()


def test_calibration_texts_are_english_and_chinese() -> None:
    windows = calibration_windows(fast_tokenizer_of_the_bundled_model(), 256)
    assert len(windows) >= 100
    assert all(ids.shape[0] == 1 and 3 <= ids.shape[1] <= 128 for ids in windows)
    assert {int(ids[0, 0]) for ids in windows} == {101}
    assert {int(ids[0, -1]) for ids in windows} == {102}


def fast_tokenizer_of_the_bundled_model() -> Tokenizer:
    tokenizer = Tokenizer.from_file(str(find_model(None) / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"runtime": "openvino", "device": "cuda"}, "PGASK_EMBEDDING_DEVICE is 'cuda'"),
        ({"dtype": "int8", "device": "cuda:1"}, "PGASK_EMBEDDING_DEVICE is 'cuda:1'"),
        ({"dtype": "int8", "runtime": "torch"}, "PGASK_EMBEDDING_DTYPE=int8 needs PGASK_EMBEDDING_RUNTIME"),
    ],
)
def test_what_can_t_go_together_is_refused(wanted: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        SentenceTransformerEmbedder(**wanted).load()  # type: ignore[arg-type]


@pytest.mark.skipif(importlib.util.find_spec("openvino") is not None, reason="needs a machine without it")
def test_a_runtime_that_is_not_installed_is_refused_with_the_way_out() -> None:
    with pytest.raises(ConfigError, match=r"pgask\[openvino\]"):
        SentenceTransformerEmbedder(runtime="openvino").load()
