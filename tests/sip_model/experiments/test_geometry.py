"""Configuration of the kind `geometry`."""

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from sip_model.experiments.geometry import GeometryConfig
from sip_model.experiments.kinds import KINDS

ADAPTER: TypeAdapter[GeometryConfig] = TypeAdapter(GeometryConfig)


def test_the_defaults_are_the_protocols() -> None:
    assert KINDS["geometry"] is GeometryConfig
    block = GeometryConfig().geometry
    assert (block.layers, block.classes, block.chunks_per_class, block.seeds) == ("all", (3, 4), 100, 6)
    assert (block.projection, block.category) == ("pca", "author")


def test_the_layers_measured_are_those_asked_of_the_backbone() -> None:
    config = ADAPTER.validate_python({"backbone": {"id": "minilm"}, "geometry": {"layers": [2, 6]}})
    (place,) = config.backbones()
    assert (place.loc, place.backbone.id, place.backbone.layers) == (("backbone",), "minilm", (2, 6))
    assert config.queue() == "gpu"
    assert ADAPTER.validate_python(ADAPTER.dump_python(config, mode="json")) == config


def test_a_series_of_panels_can_be_left_out() -> None:
    assert ADAPTER.validate_python({"geometry": {"classes": []}}).geometry.classes == ()


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"geometry": {"layers": []}}, "layers: expected 1 to 64 layer numbers"),
        ({"geometry": {"layers": [-1]}}, "layers: expected numbers from 0"),
        ({"geometry": {"layers": [1, 1]}}, "layers: expected each layer once"),
        ({"geometry": {"classes": [1]}}, "classes: expected 2 to 8, found 1"),
        ({"geometry": {"classes": [9]}}, "classes: expected 2 to 8, found 9"),
        ({"geometry": {"classes": [3, 3]}}, "classes: expected each number once"),
        ({"geometry": {"chunks_per_class": 1}}, "chunks_per_class: expected 2 to 10000, found 1"),
        ({"geometry": {"seeds": 0}}, "seeds: expected 1 to 100, found 0"),
        ({"geometry": {"max_samples": 9}}, "max_samples: expected 10 to 200000, found 9"),
        ({"geometry": {"permutations": -1}}, "permutations: expected 0 to 10000, found -1"),
        ({"geometry": {"category": ""}}, "category: expected 1 to 200 characters"),
        ({"geometry": {"projection": "tsne"}}, "'pca', 'lda', 'raw', 'bottleneck' or 'umap'"),
        ({"geometry": {"clusters": 3}}, "clusters"),
        ({"backbone": {"layers": "all"}}, "backbone.layers: expected none, since geometry.layers"),
    ],
)
def test_what_cannot_be_done_is_refused(config: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as raised:
        ADAPTER.validate_python(config)
    assert message in str(raised.value)
