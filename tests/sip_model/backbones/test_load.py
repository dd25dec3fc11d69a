import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from sip_model.backbones.extract import extract_features
from sip_model.backbones.info import read_info
from sip_model.backbones.load import Backbone, load_backbone
from sip_model.errors import BackboneError
from tests.sip_model.backbones.tiny import NUM_LAYERS, make_tiny_backbone


def load(folder: Path) -> Backbone:
    return load_backbone(folder, read_info(folder, "tiny", "r"), "cpu", "float32")


def test_a_folder_with_pickled_weights_only_is_refused(tmp_path: Path) -> None:
    make_tiny_backbone(tmp_path, "bert")
    weights = load_file(tmp_path / "model.safetensors")
    (tmp_path / "model.safetensors").unlink()
    torch.save(weights, tmp_path / "pytorch_model.bin")
    with pytest.raises(BackboneError, match="Pickled weights"):
        load(tmp_path)


def test_code_in_the_folder_is_never_run(tmp_path: Path) -> None:
    make_tiny_backbone(tmp_path, "bert")
    config = json.loads((tmp_path / "config.json").read_text())
    config["auto_map"] = {"AutoConfig": "trap.TrapConfig", "AutoModel": "trap.TrapModel"}
    (tmp_path / "config.json").write_text(json.dumps(config))
    sprung = tmp_path / "sprung"
    (tmp_path / "trap.py").write_text(f"open({str(sprung)!r}, 'w').close()")
    assert extract_features(load(tmp_path), ["a text"], (0,), "mean").features.shape[0] == 1
    assert not sprung.exists()


def test_missing_weights_are_refused_by_name(tmp_path: Path) -> None:
    make_tiny_backbone(tmp_path, "bert")
    weights = load_file(tmp_path / "model.safetensors")
    name = "encoder.layer.1.output.dense.weight"
    del weights[name]
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(BackboneError, match=name):
        load(tmp_path)


def test_weights_of_another_shape_are_refused(tmp_path: Path) -> None:
    make_tiny_backbone(tmp_path, "gpt2")
    config = json.loads((tmp_path / "config.json").read_text())
    config["n_embd"] = 64
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(BackboneError, match="fit its config"):
        load(tmp_path)


def test_a_truncated_weights_file_is_refused(tmp_path: Path) -> None:
    make_tiny_backbone(tmp_path, "gpt2")
    path = tmp_path / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(BackboneError, match=r"safetensors file in model\.safetensors"):
        load(tmp_path)


def test_a_folder_without_a_tokenizer_is_refused(tmp_path: Path) -> None:
    make_tiny_backbone(tmp_path, "gpt2")
    for path in tmp_path.glob("tokenizer*"):
        path.unlink()
    with pytest.raises(BackboneError, match="tokenizer"):
        load(tmp_path)


def test_a_tokenizer_with_more_tokens_than_embeddings_is_refused(tmp_path: Path) -> None:
    make_tiny_backbone(tmp_path, "gpt2", vocab_size=300)
    with pytest.raises(BackboneError, match="at most 300 tokens"):
        load(tmp_path)


def test_an_encoder_saved_without_its_pooler_is_complete(tmp_path: Path) -> None:
    make_tiny_backbone(tmp_path, "bert")
    weights = {
        name: w for name, w in load_file(tmp_path / "model.safetensors").items() if "pooler" not in name
    }
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    assert extract_features(load(tmp_path), ["a text"], (NUM_LAYERS,), "cls").features.any()


def test_loading_prints_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    make_tiny_backbone(tmp_path, "bert")
    capfd.readouterr()
    load(tmp_path)
    assert capfd.readouterr() == ("", "")
