"""The benchmark of answers: its numbers on made-up cells, and what it keeps."""

import gzip
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks import answers
from benchmarks.answer_cells import KNOWN, Cell
from benchmarks.answer_table import identification, page, unknown
from benchmarks.answer_tasks import TASKS, Task, strangers_of
from benchmarks.answers import cell_of
from benchmarks.trained_models import Features
from sip_model.corpora.formats import read_corpus
from sip_model.corpora.samples import prepare_samples
from sip_model.corpora.store import Corpus, write_corpus
from sip_model.experiments.config import SourcesConfig, SplitConfig


def cell(seed: int, *, strangers: bool = True) -> Cell:
    """200 known texts of 20 documents, 7 in 10 right, and 50 strangers that mostly look unknown."""
    generator = np.random.default_rng(seed)
    count = 250 if strangers else 200
    is_known = np.arange(count) < 200
    confidence = generator.uniform(0.4, 1, count)
    right = np.where(is_known, generator.random(count) < confidence, False).astype(np.float64)
    probability = np.where(is_known, generator.beta(1, 8, count), generator.beta(4, 3, count))
    return Cell(
        group=np.where(is_known, KNOWN, "speeches"),
        document=np.array([f"d{number % 20}" if number < 200 else f"s{number}" for number in range(count)]),
        right=right,
        lexical_right=np.where(generator.random(count) < 0.3, right, 0),
        confidence=confidence,
        mass=confidence,
        squares=1 - confidence,
        unknown=probability,
        answered=(probability < 0.3).astype(np.float64),
        classwise_ece=np.array(0.01),
        weights='{"members": {}}',
    )


def test_accuracy_is_that_of_known_texts_and_the_difference_is_paired() -> None:
    cells = [cell(seed) for seed in (0, 1)]
    found = identification(cells)
    assert found["samples"] == 400
    assert found["top1"] == pytest.approx(np.mean([each.right[:200].mean() for each in cells]))
    mean, low, high = found["difference"]
    assert mean == pytest.approx(found["top1"] - found["lexical_top1"])
    assert low < mean < high
    assert found["ece"] < found["ece_null_95"]


def test_each_group_of_strangers_has_its_area_with_an_interval() -> None:
    found = unknown([cell(0), cell(1)])
    speeches = found["groups"]["speeches"]
    assert speeches["texts"] == 100
    low, high = speeches["interval"]
    assert 0.9 < low < speeches["auroc_unknown"] < high <= 1
    rejected, low, high = found["false_rejections"]
    assert 0 <= low <= rejected <= high < 0.2


def test_the_page_has_a_line_per_task_and_per_group() -> None:
    with_strangers = {"identification": identification([cell(0)]), "unknown": unknown([cell(0)])}
    without = {"identification": identification([cell(1, strangers=False)]), "unknown": None}
    lines = page({"books": with_strangers, "codes": without}).splitlines()
    assert sum(line.startswith("| books |") for line in lines) == 3
    assert sum(line.startswith("| codes |") for line in lines) == 1


def test_a_cell_that_is_there_is_not_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []

    def run(_task: Task, seed: int, _data: Path, _features: Features, _work: Path) -> Cell:
        made.append(seed)
        return cell(seed)

    monkeypatch.setattr(answers, "run_cell", run)
    features = Features(tmp_path / "features")
    for program in ("a", "a", "b"):
        found = cell_of(TASKS[0], 3, tmp_path, tmp_path, features, program)
        np.testing.assert_array_equal(found.unknown, cell(3).unknown)
        assert found.weights == cell(3).weights
    assert made == [3, 3]  # another program's cell is another one


def test_strangers_are_told_apart_by_their_author(tmp_path: Path) -> None:
    rows = [("Emma", "Austen"), ("Persuasion", "Austen"), ("Ulysses", "Joyce"), ("Kim", "Kipling")]
    with gzip.open(tmp_path / "books.jsonl.gz", "wt", encoding="utf-8") as file:
        for title, author in rows:
            words = " ".join(f"{title}{number}" for number in range(4200))
            file.write(json.dumps({"source": title, "author": author, "text": words}) + "\n")
    write_corpus(read_corpus(tmp_path / "books.jsonl.gz", "jsonl"), tmp_path / "corpus.parquet")
    task = next(task for task in TASKS if task.name == "books, 400 words")
    known = prepare_samples(
        Corpus(tmp_path / "corpus.parquet"),
        task.chunk,
        SourcesConfig(limit=2, select="first"),
        SplitConfig(),
        0,
    )
    assert known.sources == ("Emma", "Persuasion")
    known = replace(known, sources=("Emma", "Kim"), authors=("Austen", "Kipling"))
    groups = {
        (each.group, each.text.split()[0].rstrip("0123456789"))
        for each in strangers_of(task, known, tmp_path)
    }
    assert groups == {("same author", "Persuasion"), ("other author", "Ulysses")}
