"""Which one layer a token-level identifier reads."""

import pytest

from sip_model.backbones.info import BackboneInfo
from sip_model.backbones.token_layer import token_layer
from sip_model.errors import BackboneError


def info(id: str, num_layers: int) -> BackboneInfo:
    return BackboneInfo(id, "r", "gpt_neox", True, num_layers, 64, 128, ("mean", "last"))


@pytest.mark.parametrize(
    ("id", "num_layers", "expected"),
    [
        ("EleutherAI/pythia-70m", 6, 5),
        ("EleutherAI/pythia-70m-deduped", 6, 5),
        ("EleutherAI/pythia-410m", 24, 18),
        ("EleutherAI/pythia-1b", 16, 12),
        ("EleutherAI/pythia-1.4b", 24, 20),
        ("EleutherAI/pythia-2.8b", 32, 26),
        ("EleutherAI/pythia-6.9b", 32, 26),
        ("EleutherAI/pythia-12b", 36, 28),
        ("meta-llama/Llama-2-7b-hf", 32, 26),
        ("meta-llama/Llama-2-13b-chat-hf", 40, 32),
        ("EleutherAI/pythia-160m", 12, 10),
        ("minilm", 6, 5),
        ("tiny", 3, 2),
        ("someone/pythia-70million", 10, 8),
        ("someone/pythia-12b-shrunk", 10, 8),
    ],
)
def test_auto_is_the_published_layer_or_the_one_at_four_fifths(
    id: str, num_layers: int, expected: int
) -> None:
    assert token_layer("auto", info(id, num_layers)) == expected


def test_a_layer_of_ones_own_and_the_last_one_are_taken_as_they_are() -> None:
    assert token_layer((0,), info("minilm", 6)) == 0
    assert token_layer("last", info("minilm", 6)) == 6


@pytest.mark.parametrize("choice", ["all", (1, 2), (7,)])
def test_several_layers_or_one_beyond_the_backbone_are_refused(choice: tuple[int, ...]) -> None:
    with pytest.raises(BackboneError, match="layers"):
        token_layer(choice, info("minilm", 6))
