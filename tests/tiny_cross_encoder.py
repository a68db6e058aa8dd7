"""A cross-encoder small enough to be made within a test: a BERT of one layer that learns one thing, to score a passage
high that holds the word of the question."""

from __future__ import annotations

import random
from pathlib import Path

import torch
from sentence_transformers import CrossEncoder
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

WANTED = "zebra"
OTHERS = (
    "vector",
    "index",
    "list",
    "probe",
    "recall",
    "query",
    "chunk",
    "window",
    "token",
    "page",
    "of",
    "the",
)
_SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]


def save_cross_encoder(folder: Path, *, outputs: int = 1) -> Path:
    """Train the model and save it as sentence-transformers reads it."""
    torch.manual_seed(0)
    vocabulary = {word: place for place, word in enumerate([*_SPECIAL, *OTHERS, WANTED])}
    config = BertConfig(
        vocab_size=len(vocabulary), hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=128, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0,
    )  # fmt: skip
    config.num_labels = outputs
    model = BertForSequenceClassification(config)
    tokenizer = _tokenizer(vocabulary)
    if outputs == 1:
        _teach(model, tokenizer)
    model.save_pretrained(folder / "bare")
    tokenizer.save_pretrained(folder / "bare")
    CrossEncoder(str(folder / "bare"), device="cpu", num_labels=outputs).save_pretrained(
        str(folder / "model")
    )
    return folder / "model"


def _teach(model: BertForSequenceClassification, tokenizer: PreTrainedTokenizerFast) -> None:
    rng = random.Random(0)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(60):
        passages = [rng.choices(OTHERS, k=rng.randint(3, 40)) for _ in range(16)]
        labels = [place % 2 for place in range(16)]
        for passage, label in zip(passages, labels, strict=True):
            if label:
                passage[rng.randrange(len(passage))] = WANTED
        batch = tokenizer(
            ["which page"] * 16,
            [" ".join(passage) for passage in passages],
            padding=True,
            return_tensors="pt",
        )
        logits = model(**batch).logits[:, 0]
        loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, torch.tensor(labels).float())
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()


def _tokenizer(vocabulary: dict[str, int]) -> PreTrainedTokenizerFast:
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer, unk_token="[UNK]", pad_token="[PAD]", cls_token="[CLS]", sep_token="[SEP]",
        model_max_length=128,
    )  # fmt: skip
