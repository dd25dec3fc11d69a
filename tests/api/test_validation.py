"""How errors name field, expected and found."""

from typing import Any

import pytest

from api.errors import InvalidRequestError
from api.experiment_config import dump_config, resolve_config
from api.validation import describe
from sip_model.experiments.kinds import KINDS


@pytest.mark.parametrize("kind", KINDS)
def test_a_resolved_config_resolves_to_itself(kind: str) -> None:
    config = resolve_config(kind, {})
    dumped = dump_config(kind, config)
    assert resolve_config(kind, dumped) == config


def test_layers_of_ones_own_survive_the_way_through_json() -> None:
    config = resolve_config("train", {"backbone": {"layers": [0, 3]}, "identifier": {"head": [64]}})
    dumped: Any = dump_config("train", config)
    assert dumped["backbone"]["layers"] == [0, 3]
    assert dumped["identifier"]["head"] == [64]


MESSAGES: list[tuple[dict[str, Any], str]] = [
    ({"backbone": {"layers": "x"}}, "body.config.backbone.layers: expected 'last', 'auto' or 'all', or"),
    (
        {"backbone": {"layers": [1, "x"]}},
        "body.config.backbone.layers.1: expected a valid integer; found a string",
    ),
    ({"training": {"epochs": -1}}, "body.config.training.epochs: expected 1 to 10000, found -1"),
    ({"training": {"epochs": 2.5}}, "body.config.training.epochs: expected a valid integer; found 2.5"),
    ({"training": 3}, "body.config.training: expected an object; found 3"),
    ({"traning": {}}, "body.config.traning: expected no such field; found it"),
]


@pytest.mark.parametrize(("config", "message"), MESSAGES)
def test_a_message_names_field_expected_and_found(config: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidRequestError) as raised:
        resolve_config("train", config)
    assert raised.value.detail.startswith(message)


def test_a_block_with_two_errors_reports_both() -> None:
    with pytest.raises(InvalidRequestError) as raised:
        resolve_config("train", {"backbone": {"pooling": "max", "str": 1}})
    assert [error.loc[2:] for error in raised.value.errors] == [("backbone", "pooling"), ("backbone", "str")]
    assert "(and 1 more)" in raised.value.detail


def test_a_key_of_the_callers_is_cut_and_cleaned() -> None:
    with pytest.raises(InvalidRequestError) as raised:
        resolve_config("train", {"a\n\x7f" + "b" * 500: 1})
    (error,) = raised.value.errors
    loc = error.as_json()["loc"]
    assert isinstance(loc, list)
    assert len(loc[2]) == 101
    assert loc[2].isprintable()


@pytest.mark.parametrize(
    ("value", "described"),
    [
        (None, "null"),
        (True, "a boolean"),
        (5, "5"),
        (2**63, "an integer beyond 64 bits"),
        (0.5, "0.5"),
        (float("nan"), "a number that is not finite"),
        ("secret", "a string of 6 characters"),
        ("", "an empty string"),
        ([1], "an array of 1 item"),
        ({"a": 1, "b": 2}, "an object of 2 keys"),
    ],
)
def test_a_value_is_described_and_a_text_never_repeated(value: object, described: str) -> None:
    assert describe(value) == described
