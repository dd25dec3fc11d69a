"""A suite's plan: what it consists of, who waits for whom, and what goes through a backbone once."""

from collections.abc import Mapping
from functools import cache

import pytest
from pydantic import TypeAdapter, ValidationError

from db import needs
from sip_model.errors import InvalidInputError
from sip_model.experiments import planning
from sip_model.experiments.features import FeaturesConfig
from sip_model.experiments.kind_config import KindConfig
from sip_model.experiments.kinds import KINDS
from sip_model.experiments.planning import PlannedChild, plan_children
from sip_model.experiments.suite import SuiteBlock, SuiteConfig
from sip_model.experiments.train import TrainConfig

NAMES = {"ds_1": "books", "ds_2": "articles"}


def a_suite(**suite: object) -> SuiteBlock:
    """The block, read as the API reads it."""
    given = {"suite": {"datasets": ["ds_1"], **suite}}
    config = adapter("suite").validate_python(given)
    assert isinstance(config, SuiteConfig)
    return config.suite


@cache
def adapter(kind: str) -> TypeAdapter[KindConfig]:
    return TypeAdapter(KINDS[kind])


def resolve(kind: str, blocks: Mapping[str, Mapping[str, object]]) -> KindConfig:
    return adapter(kind).validate_python(blocks)


def plan(**suite: object) -> list[PlannedChild]:
    return plan_children(a_suite(**suite), NAMES, resolve)


def analyses(children: list[PlannedChild]) -> list[TrainConfig]:
    return [child.config for child in children if isinstance(child.config, TrainConfig)]


def test_the_matrix_has_one_child_per_backbone_dataset_and_seed_after_what_each_needs() -> None:
    children = plan(backbones=["minilm", "tiny"], datasets=["ds_1", "ds_2"], seeds=[0, 5])
    assert [child.kind for child in children] == ["features"] * 4 + ["train"] * 8
    assert len({child.name for child in children}) == 12
    places = {child.name: place for place, child in enumerate(children)}
    for child in children:
        assert all(places[name] < places[child.name] for name in (*child.needs, *child.after))
    for child in children[4:]:
        (feature,) = (children[places[name]] for name in child.needs)
        assert (feature.backbone, feature.dataset) == (child.backbone, child.dataset)


def test_one_backbone_reads_one_thing_at_a_time() -> None:
    children = plan(backbones=["minilm", "tiny"], preset="lengths")
    for backbone in ("minilm", "tiny"):
        features = [c for c in children if c.kind == "features" and c.backbone == backbone]
        assert len(features) == 5
        assert [child.after for child in features] == [(), *((child.name,) for child in features[:-1])]


def test_all_that_read_the_same_chunks_share_one_reading_of_all_their_layers() -> None:
    children = plan(preset="classes", seeds=[0, 1], config={"backbone": {"layers": [1, 2]}})
    features = [child for child in children if child.kind == "features"]
    assert len(features) == 1
    config = features[0].config
    assert isinstance(config, FeaturesConfig)
    assert (config.backbone.layers, config.sources.limit, config.features.seeds) == ((1, 2), 1000, (0, 1))


def test_few_shots_read_what_many_read() -> None:
    children = plan(preset="shots", seeds=[0])
    assert [child.kind for child in children] == ["features"] + ["train"] * 7
    reading = children[0].config.reading()
    assert reading is not None
    assert reading.chunk.train_per_source is None
    assert [config.chunk.train_per_source for config in analyses(children)] == [1, 2, 5, 10, 20, 50, 100]
    assert children[3].varied == (("shots", 5),)


def test_what_reads_no_features_waits_for_none() -> None:
    children = plan(config={"identifier": {"features": "lexical"}})
    assert [(child.kind, child.needs) for child in children] == [("train", ())]


def test_the_suites_own_blocks_go_before_the_presets_and_only_where_a_kind_has_them() -> None:
    configs = analyses(plan(preset="lengths", seeds=[0], config={"sources": {"limit": 7}}))
    assert [config.chunk.num_words for config in configs] == [4, 8, 16, 32, 64]
    assert {config.sources.limit for config in configs} == {7}


def test_honesty_holds_every_split_against_the_others() -> None:
    configs = analyses(plan(preset="honesty", seeds=[0]))
    assert [config.split.by for config in configs] == ["block", "document", "position"]
    assert all(config.honesty.leak_rate and config.honesty.entity_masked for config in configs)


def test_quick_is_smaller() -> None:
    for preset in ("lengths", "shots", "classes", "honesty"):
        assert len(plan(preset=preset, quick=True)) < len(plan(preset=preset))


def test_defaults_are_written_out() -> None:
    suite = a_suite(preset="classes")
    assert (suite.backbones, suite.seeds, suite.analyses) == (("minilm",), (0, 1, 2), ("train",))


def test_the_same_suite_has_the_same_plan() -> None:
    assert plan(preset="classes") == plan(preset="classes")


@pytest.mark.parametrize(
    ("suite", "loc"),
    [
        ({"datasets": []}, ("suite", "datasets")),
        ({"config": {"colour": {}}}, ("suite", "config")),
        ({"seeds": list(range(100)), "backbones": [str(n) for n in range(30)]}, ("suite",)),
    ],
)
def test_what_cannot_be_planned_names_its_place(suite: dict[str, object], loc: tuple[str, ...]) -> None:
    with pytest.raises(InvalidInputError) as caught:
        plan(**suite)
    assert caught.value.loc == loc


@pytest.mark.parametrize(
    "suite",
    [
        {"preset": "lengths", "analyses": ["probe"]},
        {"seeds": [1, 1]},
        {"seeds": [-1]},
        {"backbones": [""]},
        {"preset": "none"},
        {"backbones": [{"pretrain": {}, "size": "nano"}]},
    ],
)
def test_what_makes_no_sense_is_refused(suite: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        a_suite(**suite)


def test_a_kind_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(KINDS, "probe", raising=False)
    with pytest.raises(InvalidInputError, match=r"suite\.analyses\.1: .*'probe'"):
        plan(analyses=["train", "probe"])


def test_the_plan_and_the_rows_spell_a_backbone_to_be_made_alike() -> None:
    assert planning.MADE_BY == needs.MADE_BY
