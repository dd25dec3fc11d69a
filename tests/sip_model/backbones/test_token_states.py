"""Token states: every own token its vector, nothing for padding and special tokens."""

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModel

from sip_model.backbones.load import Backbone
from sip_model.backbones.token_states import TokenStates, extract_token_states
from sip_model.errors import BackboneError
from tests.sip_model.backbones.test_extract import TEXTS, load_tiny
from tests.sip_model.backbones.tiny import ENCODERS, FAMILIES, HIDDEN_SIZE, NUM_LAYERS


def numbers(states: TokenStates) -> torch.Tensor:
    """The states as numbers, (own tokens, D)."""
    return torch.from_numpy(states.states).view(torch.bfloat16).float()


def of_text(states: TokenStates, text: int) -> torch.Tensor:
    """The states of one text."""
    end = int(states.lengths[: text + 1].sum())
    return numbers(states)[end - int(states.lengths[text]) : end]


@pytest.mark.parametrize("family", FAMILIES)
def test_every_own_token_has_the_state_plain_transformers_gives_it(family: str, tmp_path: Path) -> None:
    backbone = load_tiny(tmp_path, family)
    model = AutoModel.from_pretrained(tmp_path, dtype=torch.float32).eval()
    for layer in (0, 2, NUM_LAYERS):
        states = extract_token_states(backbone, TEXTS, layer)
        for number, text in enumerate(TEXTS):
            ids = torch.tensor([backbone.tokenizer.encode(text).ids])
            with torch.inference_mode():
                expected = model(input_ids=ids, output_hidden_states=True).hidden_states[layer][0]  # (T, D)
            own = expected[1:-1] if family in ENCODERS else expected
            torch.testing.assert_close(of_text(states, number), own, rtol=1e-2, atol=1e-2)


def test_offsets_say_which_piece_of_the_text_a_state_stands_for(tmp_path: Path) -> None:
    states = extract_token_states(load_tiny(tmp_path, "bert"), TEXTS, 1)
    ends = np.cumsum(states.lengths)
    for text, end, length in zip(TEXTS, ends.tolist(), states.lengths.tolist(), strict=True):
        offsets = states.offsets[end - length : end]
        assert offsets[0, 0] == 0
        assert offsets[-1, 1] == len(text)


@pytest.mark.parametrize("family", ["bert", "gpt_neox"])
def test_what_stands_in_the_padding_changes_no_state(family: str, tmp_path: Path) -> None:
    backbone = load_tiny(tmp_path, family)
    expected = extract_token_states(backbone, TEXTS, NUM_LAYERS)
    poison(backbone)
    found = extract_token_states(backbone, TEXTS, NUM_LAYERS)
    np.testing.assert_array_equal(found.states, expected.states)
    assert found.lengths.tolist() == [
        len(backbone.tokenizer.encode(t, add_special_tokens=False)) for t in TEXTS
    ]


def poison(backbone: Backbone) -> None:
    """Give padding (token 0, which no text holds) a state unlike any other."""
    with torch.no_grad():
        backbone.model.get_input_embeddings().weight[0] = 1e4


def test_a_text_alone_has_the_states_it_has_among_others(tmp_path: Path) -> None:
    backbone = load_tiny(tmp_path, "bert", "bfloat16")
    together = extract_token_states(backbone, TEXTS, 2, batch_tokens=64)
    for number, text in enumerate(TEXTS):
        alone = extract_token_states(backbone, [text], 2)
        np.testing.assert_array_equal(numbers(alone), of_text(together, number))


def test_a_text_without_any_token_has_no_state(tmp_path: Path) -> None:
    states = extract_token_states(load_tiny(tmp_path, "gpt_neox"), ["", "one"], 1)
    assert states.lengths[0] == 0
    assert states.states.shape == (states.lengths[1], HIDDEN_SIZE)
    assert extract_token_states(load_tiny(tmp_path, "gpt_neox"), [], 1).states.shape == (0, HIDDEN_SIZE)


def test_a_text_beyond_max_tokens_is_cut_and_says_so(tmp_path: Path) -> None:
    states = extract_token_states(load_tiny(tmp_path, "bert"), ["the river " * 50, "x"], 1, max_tokens=10)
    assert states.lengths.tolist() == [8, 1]
    assert states.truncated.tolist() == [True, False]
    assert states.num_tokens == 13


def test_a_layer_beyond_the_backbone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BackboneError, match="layers"):
        extract_token_states(load_tiny(tmp_path, "bert"), TEXTS, NUM_LAYERS + 1)
