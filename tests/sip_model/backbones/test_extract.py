from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModel

from sip_model.backbones.extract import extract_features, forward_alone
from sip_model.backbones.info import read_info
from sip_model.backbones.load import Backbone, load_backbone
from sip_model.errors import BackboneError
from tests.sip_model.backbones.tiny import (
    ENCODERS,
    FAMILIES,
    HIDDEN_SIZE,
    MAX_TOKENS,
    NUM_LAYERS,
    make_tiny_backbone,
)

ALL_LAYERS = tuple(range(NUM_LAYERS + 1))

TEXTS = [
    "Where does this text come from?",
    "The wind",
    "A list of numbers, a river of sound, and the largest of the questions that members of it will answer.",
    "x",
    "Ünïcödé, 漢字 and 🙂 are read byte by byte.",
    "The report has been read. " * 3,
]


def load_tiny(folder: Path, family: str, dtype: str = "float32") -> Backbone:
    make_tiny_backbone(folder, family)
    return load_backbone(
        folder, read_info(folder, family, "r"), "cpu", "bfloat16" if dtype == "bfloat16" else "float32"
    )


def pooled_by_transformers(folder: Path, backbone: Backbone, text: str, pooling: str) -> torch.Tensor:
    """All layers of one text, read by plain transformers without padding, (L + 1, D)."""
    model = AutoModel.from_pretrained(folder, dtype=torch.float32).eval()
    ids = torch.tensor([backbone.tokenizer.encode(text).ids])
    with torch.inference_mode():
        states = model(input_ids=ids, output_hidden_states=True).hidden_states
    hidden = torch.stack(states)[:, 0]  # (L + 1, T, D)
    return {"mean": hidden.mean(1), "cls": hidden[:, 0], "last": hidden[:, -1]}[pooling]


@pytest.mark.parametrize("family", FAMILIES)
def test_every_layer_and_pooling_agrees_with_plain_transformers(family: str, tmp_path: Path) -> None:
    backbone = load_tiny(tmp_path, family)
    for pooling in ("mean", "cls" if family in ENCODERS else "last"):
        extraction = extract_features(backbone, TEXTS, ALL_LAYERS, pooling)
        for text, features in zip(TEXTS, extraction.features, strict=True):
            expected = pooled_by_transformers(tmp_path, backbone, text, pooling)
            np.testing.assert_allclose(features, expected.numpy(), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("family", FAMILIES)
def test_a_text_alone_has_the_vector_it_has_among_others(family: str, dtype: str, tmp_path: Path) -> None:
    backbone = load_tiny(tmp_path, family, dtype)
    texts = [" ".join(["the river"] * number) for number in range(1, 40, 3)]
    together = extract_features(
        backbone, texts, ALL_LAYERS, "mean", forward=partial(forward_alone, batch_tokens=256)
    ).features
    alone = np.concatenate(
        [extract_features(backbone, [text], ALL_LAYERS, "mean").features for text in texts]
    )
    np.testing.assert_array_equal(alone, together)


def test_the_number_of_threads_changes_no_vector(tmp_path: Path) -> None:
    backbone = load_tiny(tmp_path, "bert", "bfloat16")
    texts = [f"{number} of the questions" for number in range(200)]
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        one = extract_features(
            backbone, texts, (1, 3), "mean", forward=partial(forward_alone, batch_tokens=128)
        ).features
        torch.set_num_threads(3)
        three = extract_features(
            backbone, texts, (1, 3), "mean", forward=partial(forward_alone, batch_tokens=128)
        ).features
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(threads)
    np.testing.assert_array_equal(one, three)


def test_layers_come_in_the_order_asked_for(tmp_path: Path) -> None:
    backbone = load_tiny(tmp_path, "gpt2")
    every = extract_features(backbone, TEXTS, ALL_LAYERS, "mean").features
    some = extract_features(backbone, TEXTS, (2, 0), "mean").features
    np.testing.assert_array_equal(some, every[:, [2, 0]])


def test_layers_above_the_deepest_one_asked_for_are_not_run(tmp_path: Path) -> None:
    backbone = load_tiny(tmp_path, "bert")
    ran: list[int] = []
    for number, block in enumerate(backbone.model.encoder.layer):
        block.register_forward_pre_hook(lambda *_, number=number: ran.append(number))
    extract_features(backbone, ["one text"], (0, 1), "mean")
    assert ran == [0]


def test_a_projected_output_gives_way_to_the_last_block(tmp_path: Path) -> None:
    """OPT-350m's output is narrower than its states; its last block's states are the last layer."""
    make_tiny_backbone(tmp_path, "opt", word_embed_proj_dim=16, do_layer_norm_before=False)
    backbone = load_backbone(tmp_path, read_info(tmp_path, "opt", "r"), "cpu", "float32")
    extraction = extract_features(backbone, TEXTS, ALL_LAYERS, "mean")
    assert extraction.features.shape == (len(TEXTS), NUM_LAYERS + 1, HIDDEN_SIZE)
    assert np.isfinite(extraction.features).all()


@pytest.mark.parametrize("family", FAMILIES)
def test_a_text_beyond_max_tokens_is_cut_and_says_so(family: str, tmp_path: Path) -> None:
    backbone = load_tiny(tmp_path, family)
    long = "the river " * 500
    extraction = extract_features(backbone, [long, "short", long + "!"], (NUM_LAYERS,), "mean", max_tokens=10)
    assert extraction.truncated.tolist() == [True, False, True]
    assert extraction.num_tokens[0] == 10
    np.testing.assert_array_equal(extraction.features[0], extraction.features[2])
    whole = extract_features(backbone, [long], (NUM_LAYERS,), "mean")
    assert whole.num_tokens.tolist() == [MAX_TOKENS]
    assert np.isfinite(whole.features).all()


def test_a_text_without_any_token_still_has_a_vector(tmp_path: Path) -> None:
    backbone = load_tiny(tmp_path, "gpt_neox")
    extraction = extract_features(backbone, [""], (0, NUM_LAYERS), "last")
    assert extraction.num_tokens.tolist() == [1]
    assert np.isfinite(extraction.features).all()


def test_no_texts_give_no_vectors(tmp_path: Path) -> None:
    extraction = extract_features(load_tiny(tmp_path, "bert"), [], (0, 1), "mean")
    assert extraction.features.shape == (0, 2, HIDDEN_SIZE)


def test_progress_counts_up_to_all_texts(tmp_path: Path) -> None:
    backbone = load_tiny(tmp_path, "bert")
    seen: list[tuple[int, int]] = []
    texts = ["a text"] * 50
    extract_features(
        backbone,
        texts,
        (0,),
        "mean",
        forward=partial(forward_alone, batch_tokens=64),
        on_progress=lambda done, total: seen.append((done, total)),
    )
    assert len(seen) > 1
    assert seen[-1] == (50, 50)
    assert seen == sorted(seen)


def test_an_error_in_progress_stops_the_extraction_and_restores_the_threads(tmp_path: Path) -> None:
    backbone = load_tiny(tmp_path, "bert")
    threads = torch.get_num_threads()
    calls: list[int] = []

    def lost(done: int, _total: int) -> None:
        calls.append(done)
        raise InterruptedError("the claim was lost")

    with pytest.raises(InterruptedError):
        extract_features(
            backbone,
            ["a text"] * 500,
            (0,),
            "mean",
            forward=partial(forward_alone, batch_tokens=32),
            on_progress=lost,
        )
    assert len(calls) == 1
    assert torch.get_num_threads() == threads


@pytest.mark.parametrize(
    ("family", "layers", "pooling", "max_tokens", "field"),
    [
        ("bert", (0, NUM_LAYERS + 1), "mean", None, ("backbone", "layers", 1)),
        ("bert", (0,), "last", None, ("backbone", "pooling")),
        ("gpt2", (0,), "cls", None, ("backbone", "pooling")),
        ("gpt2", (0,), "median", None, ("backbone", "pooling")),
        ("gpt2", (0,), "mean", MAX_TOKENS + 1, ("backbone", "max_tokens")),
        ("gpt2", (0,), "mean", 2, ("backbone", "max_tokens")),
    ],
)
def test_what_the_backbone_cannot_do_is_refused_by_field(
    family: str,
    layers: tuple[int, ...],
    pooling: str,
    max_tokens: int | None,
    field: tuple[str | int, ...],
    tmp_path: Path,
) -> None:
    backbone = load_tiny(tmp_path, family)
    with pytest.raises(BackboneError) as caught:
        extract_features(backbone, TEXTS, layers, pooling, max_tokens)
    assert caught.value.loc == field
