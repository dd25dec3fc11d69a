import json
from pathlib import Path

import pytest

from tests.cli.conftest import Sip
from tests.client.stand_in import StandIn


def test_a_run_shows_its_phases_and_ends_with_the_score_table(sip: Sip) -> None:
    result = sip("experiments", "create", "train", "--dataset", "mine")
    assert result.exit_code == 0
    assert "training" in result.stdout
    assert "accuracy           64.0%" in result.stdout
    assert "lexical baseline   50.0%" in result.stdout
    assert "38.4 x chance and 1.28 x the lexical baseline" in result.stdout


def test_settings_are_laid_over_the_config_file(sip: Sip, stand_in: StandIn, tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    config.write_text('{"chunk": {"num_words": 32, "max_per_source": 10}}')
    words = [
        "--config",
        str(config),
        "--set",
        "chunk.num_words=64",
        "--set",
        "split.by=document",
        "--seed",
        "3",
    ]
    result = sip(
        "experiments",
        "create",
        "train",
        "--dataset",
        "mine",
        *words,
        "--name",
        "mine-64",
        "--detach",
        "--json",
    )
    assert json.loads(result.stdout)["status"] == "queued"
    assert stand_in.bodies == [
        {
            "kind": "train",
            "dataset": "mine",
            "config": {"chunk": {"num_words": 64, "max_per_source": 10}, "split": {"by": "document"}},
            "name": "mine-64",
            "seed": 3,
        }
    ]


def test_a_suite_is_made_of_its_options(sip: Sip, stand_in: StandIn) -> None:
    words = ["--preset", "ksc2023", "--backbones", "minilm, pretrain:nano", "--datasets", "books,articles"]
    words += ["--seeds", "0,1", "--quick", "--set", "suite.config.sources.limit=5", "--detach", "--json"]
    result = sip("experiments", "create", "suite", *words)
    assert json.loads(result.stdout)["status"] == "queued"
    suite = {
        "config": {"sources": {"limit": 5}},
        "preset": "ksc2023",
        "backbones": ["minilm", {"pretrain": {"size": "nano"}}],
        "datasets": ["books", "articles"],
        "seeds": [0, 1],
        "quick": True,
    }
    assert stand_in.bodies == [{"kind": "suite", "config": {"suite": suite}}]


def test_other_kinds_are_made_alike(sip: Sip, stand_in: StandIn) -> None:
    sip("experiments", "create", "train", "--dataset", "mine", "--seed", "3", "--detach")
    assert stand_in.bodies == [{"kind": "train", "dataset": "mine", "seed": 3}]


@pytest.mark.parametrize(
    "words", [["train", "--dataset", "mine", "--preset", "shots"], ["suite", "--seeds", "0,x"]]
)
def test_what_only_a_suite_has_or_is_no_seed_is_wrong_usage(sip: Sip, words: list[str]) -> None:
    result = sip("experiments", "create", *words)
    assert result.exit_code == 2
    assert "expected" in result.stderr


@pytest.mark.parametrize("setting", ["chunk.num_words", "=3", "chunk..x=3"])
def test_a_setting_without_key_or_value_is_wrong_usage(sip: Sip, setting: str) -> None:
    result = sip("experiments", "create", "train", "--dataset", "mine", "--set", setting)
    assert result.exit_code == 2
    assert "expected block.key=value" in result.stderr


def test_a_failed_experiment_exits_1_with_its_reason(sip: Sip, stand_in: StandIn) -> None:
    stand_in.ends_as = "failed"
    result = sip("experiments", "create", "train", "--dataset", "mine")
    assert result.exit_code == 1
    assert "failed: CorpusError: sources: expected 2 or more; found 1" in result.stdout


def test_waiting_with_json_prints_the_final_resource_alone(sip: Sip) -> None:
    result = sip("experiments", "create", "train", "--dataset", "mine", "--json")
    assert json.loads(result.stdout)["status"] == "succeeded"


def test_an_unknown_experiment_exits_1(sip: Sip) -> None:
    result = sip("experiments", "show", "exp_9")
    assert result.exit_code == 1
    assert "404 Not found no such experiment" in result.stderr


def test_a_listed_experiment_shows_state_and_accuracy(sip: Sip) -> None:
    sip("experiments", "create", "train", "--dataset", "mine")
    assert sip("experiments", "list").stdout.splitlines()[1].split()[:6] == [
        "exp_0",
        "train",
        "-",
        "succeeded",
        "mine",
        "0.64",
    ]


def test_a_cancelled_experiment_says_so(sip: Sip) -> None:
    sip("experiments", "create", "train", "--dataset", "mine", "--detach")
    assert "exp_0 is cancelled" in sip("experiments", "cancel", "exp_0").stdout


def test_a_failed_experiment_is_tried_again_and_watched(sip: Sip, stand_in: StandIn) -> None:
    stand_in.ends_as = "failed"
    assert sip("experiments", "create", "train", "--dataset", "mine").exit_code == 1
    result = sip("experiments", "retry", "exp_0")
    assert result.exit_code == 0
    assert "accuracy           64.0%" in result.stdout
    assert "queued exp_0" in sip("experiments", "retry", "exp_0", "--detach").stdout


def test_a_result_table_is_written_in_the_form_of_the_file_name(sip: Sip, tmp_path: Path) -> None:
    target = tmp_path / "results.csv"
    assert sip("experiments", "results", "exp_0", "--out", str(target)).exit_code == 0
    assert target.read_text().startswith("document,source\n")
    assert sip("experiments", "results", "exp_0", "--out", "results.txt").exit_code == 2


def test_an_artifact_lands_under_its_own_name(
    sip: Sip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert sip("experiments", "download", "exp_0", "unseen.jsonl").exit_code == 0
    assert (tmp_path / "unseen.jsonl").stat().st_size > 0


def test_a_report_is_written_where_asked_or_under_its_id(
    sip: Sip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "wrote study.html" in sip("experiments", "report", "exp_0", "--output", "study.html").stdout
    assert sip("experiments", "report", "exp_0").exit_code == 0
    assert (tmp_path / "study.html").read_bytes() == (tmp_path / "exp_0.html").read_bytes()
    assert sip("experiments", "report", "exp_9").exit_code == 1


def test_a_log_is_a_table_or_json_and_says_how_to_go_on(sip: Sip) -> None:
    lines = sip("experiments", "log", "exp_0").stdout.splitlines()
    assert lines[0].split(maxsplit=3) == ["TIME", "ATTEMPT", "LEVEL", "WHAT HAPPENED"]
    assert lines[2].split(maxsplit=3)[1:] == ["1", "warning", "2 [of] 3 left out"]
    assert sip("experiments", "log", "exp_0", "--limit", "1").stdout.endswith("There is more: --since 3\n")
    page = json.loads(sip("experiments", "log", "exp_0", "--since", "3", "--json").stdout)
    assert [line["id"] for line in page["data"]] == [7]
