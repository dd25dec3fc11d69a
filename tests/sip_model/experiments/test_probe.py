"""Configuration of the kind `probe`."""

import pytest
from pydantic import TypeAdapter, ValidationError

from sip_model.experiments.config import BackboneConfig
from sip_model.experiments.probe import ProbeConfig, ProbeOptions

ADAPTER = TypeAdapter(ProbeConfig)


@pytest.mark.parametrize(
    "block",
    [
        {"layers": []},
        {"layers": [-1]},
        {"layers": [1, 1]},
        {"layers": "first"},
        {"probes": []},
        {"probes": ["linear", "linear"]},
        {"probes": ["cubic"]},
        {"seeds": 0},
        {"penalties": []},
        {"penalties": [1.0, 10.0]},
        {"penalties": [1.0, 0.0]},
        {"solver": "newton"},
        {"hidden": 0},
        {"max_passes": 0},
        {"patience": 0},
        {"batch_size": 0},
        {"learning_rate": 0.0},
        {"sedes": 3},
    ],
)
def test_values_that_make_no_sense_are_refused(block: dict[str, object]) -> None:
    with pytest.raises(ValidationError) as caught:
        ADAPTER.validate_python({"probe": block})
    assert next(iter(block)) in str(caught.value)


def test_the_probe_block_goes_before_the_backbone_block() -> None:
    backbone = BackboneConfig(layers=(1, 2), pooling="last")
    assert ProbeConfig(backbone=backbone).probed == backbone
    config = ProbeConfig(backbone=backbone, probe=ProbeOptions(layers="all"))
    assert config.probed == BackboneConfig(layers="all", pooling="last")
    assert [place.backbone for place in config.backbones()] == [config.probed]
