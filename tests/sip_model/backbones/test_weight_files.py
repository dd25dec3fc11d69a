"""Weight files that were made to harm whoever loads them."""

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save_file

from sip_model.backbones.info import read_info
from sip_model.backbones.load import load_backbone
from sip_model.backbones.weight_files import MAX_HEADER_BYTES, check_weights, read_header
from sip_model.errors import BackboneError
from tests.sip_model.backbones.tiny import make_tiny_backbone

F32 = {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}


def written(path: Path, header: object, num_bytes: int = 16, length: int | None = None) -> Path:
    """A safetensors file of this header, true or not."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(
        (len(text) if length is None else length).to_bytes(8, "little") + text + bytes(num_bytes)
    )
    return path


def test_an_honest_header_is_read(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    save_file({"a": np.zeros((2, 3), np.float32), "b": np.zeros(5, np.float16)}, path, metadata={"x": "y"})
    assert {(tensor.name, tensor.shape) for tensor in read_header(path)} == {("a", (2, 3)), ("b", (5,))}
    assert [tensor.name for tensor in read_header(written(path, {"a": F32}))] == ["a"]


HEADERS: dict[str, Any] = {
    "no object": [1],
    "no JSON": b"{nonsense",
    "NUL": b"\0" * 20,
    "deep": b"[" * 100_000,
    "a name twice": b'{"a": 1, "a": 2}',
    "no entry": {"a": 1},
    "an unknown type": {"a": F32 | {"dtype": "OBJECT"}},
    "a negative size": {"a": F32 | {"shape": [-2, -2]}},
    "a size that is no number": {"a": F32 | {"shape": ["2", 2]}},
    "sizes beyond all measure": {"a": F32 | {"shape": [2**40, 2**40]}},
    "a shape of many dimensions": {"a": F32 | {"shape": [1] * 1000 + [4]}},
    "a shape that doesn't fit": {"a": F32 | {"shape": [3, 2]}},
    "a place beyond the file": {"a": F32 | {"data_offsets": [16, 32]}},
    "a place before the file": {"a": F32 | {"data_offsets": [-16, 0]}},
    "a place backwards": {"a": F32 | {"data_offsets": [16, 0]}},
    "three places": {"a": F32 | {"data_offsets": [0, 8, 16]}},
    "tensors in each other": {"a": F32, "b": F32},
    "bytes of none": {},
}


@pytest.mark.parametrize("case", HEADERS)
def test_a_header_that_is_not_true_is_refused(tmp_path: Path, case: str) -> None:
    with pytest.raises(BackboneError, match=r"safetensors file in w\.safetensors"):
        read_header(written(tmp_path / "w.safetensors", HEADERS[case]))


@pytest.mark.parametrize("length", [0, 1, 10_000, MAX_HEADER_BYTES + 1, 2**63, 2**64 - 1])
def test_a_length_that_is_not_true_is_refused_before_the_header_is_read(tmp_path: Path, length: int) -> None:
    with pytest.raises(BackboneError, match="cut short or too long"):
        read_header(written(tmp_path / "w.safetensors", {"a": F32}, length=length))


def test_what_is_no_safetensors_file_is_told_by_its_content(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        path.write_bytes(pickle.dumps({"a": [1]}, protocol=protocol))
        with pytest.raises(BackboneError, match="a pickle, which is never read"):
            read_header(path)
    torch.save({"a": torch.zeros(2)}, path)
    with pytest.raises(BackboneError, match="a pickle, which is never read"):
        read_header(path)
    path.write_bytes(b"")
    with pytest.raises(BackboneError):
        read_header(path)


@given(st.binary(max_size=200), st.booleans())
def test_no_bytes_make_it_do_anything_else(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, with_length: bool
) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "w.safetensors"
    path.write_bytes((len(content).to_bytes(8, "little") if with_length else b"") + content)
    try:
        read_header(path)
    except BackboneError:
        return
    assert path.read_bytes()[8:9] == b"{"


def changed(config: str, value: int) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        fields = json.loads((folder / "config.json").read_text())
        assert config in fields
        (folder / "config.json").write_text(json.dumps(fields | {config: value}))

    return change


@pytest.mark.parametrize(
    "change",
    [
        changed("hidden_size", 10**9),
        changed("vocab_size", 10**9),
        changed("intermediate_size", 10**9),
        changed("num_hidden_layers", 10**9),
        changed("max_position_embeddings", 10**12),
    ],
)
@pytest.mark.parametrize("family", ["bert", "gpt_neox"])
def test_a_configuration_that_makes_more_of_the_weights_than_there_is_allocates_nothing(
    tmp_path: Path, family: str, change: Callable[[Path], None]
) -> None:
    folder = make_tiny_backbone(tmp_path / "tiny", family)
    check_weights(folder, read_info(folder, "tiny", "r"))
    change(folder)
    with pytest.raises(BackboneError, match=r"that fit its config\.json, with"):
        load_backbone(folder, read_info(folder, "tiny", "r"), "cpu", "float32")


def test_weights_with_a_header_that_lies_are_not_loaded(tmp_path: Path) -> None:
    folder = make_tiny_backbone(tmp_path / "tiny", "bert")
    written(folder / "model.safetensors", {"a": F32 | {"data_offsets": [16, 32]}})
    with pytest.raises(BackboneError, match=r"safetensors file in model\.safetensors"):
        load_backbone(folder, read_info(folder, "tiny", "r"), "cpu", "float32")
