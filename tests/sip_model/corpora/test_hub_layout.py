"""Which files a configuration and split have: the hub's rules, without a hub."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sip_model.corpora.document import JSON
from sip_model.corpora.hub_layout import choose_files, matches
from sip_model.errors import CorpusError


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("data/train-00000-of-00002.parquet", "train"),
        ("data/held_out-00000-of-00001.parquet", "held_out"),
        ("data/validation.jsonl", "validation"),
        ("dev.csv", "validation"),
        ("my_test_file.json.gz", "test"),
        ("eval/part1.parquet", "test"),
        ("training/part.jsonl", "train"),
        ("latest.jsonl", "train"),
        ("contest/devices.csv", "train"),
    ],
)
def test_the_name_tells_the_split(name: str, split: str) -> None:
    assert [file.split for file in choose_files([name], {}, None, None)] == [split]


@pytest.mark.parametrize(
    ("pattern", "name", "fits"),
    [
        ("*.jsonl", "a.jsonl", True),
        ("*.jsonl", "b/a.jsonl", False),
        ("**/*.jsonl", "b/c/a.jsonl", True),
        ("**/*.jsonl", "a.jsonl", True),
        ("data/**", "data/x/y.csv", True),
        ("data/train-*", "data/train-0.csv", True),
        ("./data/a.csv", "data/a.csv", True),
        ("data/[ab].csv", "data/b.csv", True),
        ("https://example.com/a.csv", "a.csv", False),
        ("../a.csv", "a.csv", False),
        ("**/**/**/a.csv", "a.csv", False),
        ("*" * 301, "a.csv", False),
    ],
)
def test_patterns_fit_as_globs_do(pattern: str, name: str, fits: bool) -> None:
    assert matches(name, pattern) is fits


def test_code_and_other_files_are_never_chosen() -> None:
    names = ["load.py", "train.py", "train.pkl", "README.md", ".hidden.csv", "train.csv"]
    card: dict[str, JSON] = {"configs": [{"config_name": "default", "data_files": "**"}]}
    for given_card in ({}, card):
        assert [file.name for file in choose_files(names, given_card, None, None)] == ["train.csv"]
    with pytest.raises(CorpusError, match="expected data files"):
        choose_files(["load.py"], {"configs": [{"data_files": "load.py"}]}, None, None)


def test_a_configuration_nobody_describes_is_a_folder() -> None:
    names = ["v1/train-00000-of-00001.parquet", "v2/train.csv", "v2/test.csv"]
    assert [file.name for file in choose_files(names, {}, "v1", None)] == [names[0]]
    assert [file.name for file in choose_files(names, {}, "v2", "test")] == ["v2/test.csv"]
    with pytest.raises(CorpusError, match=r"hub\.config: expected one of default, v1, v2; found"):
        choose_files(names, {}, "v3", None)


def test_of_several_configurations_the_default_one_is_read_or_one_must_be_named() -> None:
    configs: list[JSON] = [{"config_name": name, "data_files": f"{name}.csv"} for name in ("a", "default")]
    assert choose_files(["a.csv", "default.csv"], {"configs": configs}, None, None)[0].name == "default.csv"
    unmarked: list[JSON] = [{"config_name": name, "data_files": f"{name}.csv"} for name in "ab"]
    with pytest.raises(CorpusError, match=r"hub\.config: expected one of a, b"):
        choose_files(["a.csv"], {"configs": unmarked}, None, None)


def test_a_folder_of_data_is_looked_at_alone() -> None:
    card: dict[str, JSON] = {"configs": [{"config_name": "x", "data_dir": "x"}]}
    files = choose_files(["x/train.csv", "y/train.csv", "x/test.csv"], card, None, None)
    assert [(file.name, file.split) for file in files] == [("x/train.csv", "train"), ("x/test.csv", "test")]


YAML = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
CONFIG = st.fixed_dictionaries({}, optional={"config_name": YAML, "data_files": YAML, "data_dir": YAML})


@given(st.lists(CONFIG, max_size=3) | YAML, st.none() | st.text(max_size=5))
def test_no_card_does_more_than_choose_among_the_files(configs: JSON, config: str | None) -> None:
    names = ["train.csv", "x/test.csv"]
    try:
        files = choose_files(names, {"configs": configs}, config, None)
    except CorpusError:
        return
    assert {file.name for file in files} <= set(names)
