import pytest
import torch

from sip_model.backbones.pooling import POOLINGS, pooling_of
from sip_model.errors import BackboneError

# Two texts of three positions in two dimensions; the second text's last two positions are padding.
HIDDEN = torch.tensor([[[1.0, 2.0], [3.0, 4.0], [8.0, 0.0]], [[5.0, 6.0], [9.0, 9.0], [9.0, 9.0]]])
MASK = torch.tensor([[1, 1, 1], [1, 0, 0]])


@pytest.mark.parametrize(
    ("name", "pooled"),
    [
        ("mean", [[4.0, 2.0], [5.0, 6.0]]),
        ("last", [[8.0, 0.0], [5.0, 6.0]]),
        ("cls", [[1.0, 2.0], [5.0, 6.0]]),
    ],
)
def test_padding_takes_no_part(name: str, pooled: list[list[float]]) -> None:
    assert POOLINGS[name](HIDDEN, MASK).tolist() == pooled


@pytest.mark.parametrize("name", POOLINGS)
def test_padding_that_holds_nan_does_no_harm(name: str) -> None:
    hidden = HIDDEN.clone()
    hidden[1, 1:] = torch.nan
    assert POOLINGS[name](hidden, MASK).isfinite().all()


@pytest.mark.parametrize("name", POOLINGS)
def test_vectors_are_float32_whatever_the_states_are(name: str) -> None:
    assert POOLINGS[name](HIDDEN.bfloat16(), MASK).dtype == torch.float32


def test_the_mean_of_bfloat16_states_is_taken_in_float32() -> None:
    hidden = torch.full((1, 300, 1), 1.0078125, dtype=torch.bfloat16)
    assert POOLINGS["mean"](hidden, torch.ones(1, 300)).item() == pytest.approx(1.0078125, abs=1e-6)


def test_an_unknown_pooling_is_refused() -> None:
    with pytest.raises(BackboneError, match="mean, last, cls"):
        pooling_of("max")
