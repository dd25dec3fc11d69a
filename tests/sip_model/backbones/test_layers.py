from typing import Literal

import pytest

from sip_model.backbones.layers import resolve_layers
from sip_model.errors import BackboneError


@pytest.mark.parametrize(
    ("choice", "num_layers", "layers"),
    [
        ("last", 6, (6,)),
        ("all", 3, (0, 1, 2, 3)),
        ("auto", 6, (0, 2, 4, 6)),
        ("auto", 24, (0, 8, 16, 24)),
        ("auto", 12, (0, 4, 8, 12)),
        ("auto", 4, (0, 1, 3, 4)),
        ("auto", 2, (0, 1, 2)),
        ("auto", 1, (0, 1)),
    ],
)
def test_a_named_choice_becomes_layer_numbers(
    choice: Literal["last", "all", "auto"], num_layers: int, layers: tuple[int, ...]
) -> None:
    assert resolve_layers(choice, num_layers) == layers


def test_numbers_keep_their_order() -> None:
    assert resolve_layers((4, 0, 2), 6) == (4, 0, 2)


@pytest.mark.parametrize(
    ("choice", "loc"),
    [
        ((0, 7), ("backbone", "layers", 1)),
        ((-1,), ("backbone", "layers", 0)),
        ((2, 2), ("backbone", "layers", 1)),
        ((True,), ("backbone", "layers", 0)),
        ((), ("backbone", "layers")),
    ],
)
def test_a_number_that_names_no_layer_is_refused_with_its_place(
    choice: tuple[int, ...], loc: tuple[str | int, ...]
) -> None:
    with pytest.raises(BackboneError) as caught:
        resolve_layers(choice, 6)
    assert caught.value.loc == loc
