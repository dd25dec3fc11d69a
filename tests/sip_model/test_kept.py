"""What was computed once is found again, and only by the same address."""

import signal
import subprocess
import sys
from pathlib import Path
from threading import Event, Thread

import numpy as np
import pytest

from sip_model.analysis.lexical_baseline import lexical_baseline
from sip_model.corpora.duplicates import near_duplicate_clusters
from sip_model.identifiers.positives import Positives
from sip_model.kept import NOT_KEPT, IntArray, KeptResults, texts_sha256

TEXTS = ["sails and waves", "butter and flour", "sails and waves again", "butter and flour again"]


class Counting:
    """Computes numbers, and counts how often."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> IntArray:
        self.times += 1
        return np.array([3, -1, 2**40])


def test_numbers_are_computed_once_per_address(tmp_path: Path) -> None:
    kept, compute = KeptResults(tmp_path / "cache"), Counting()
    for _ in range(2):
        assert kept.numbers("counts", ["a", 1], compute).tolist() == [3, -1, 2**40]
    assert compute.times == 1
    kept.numbers("counts", ["a", 2], compute)
    kept.numbers("others", ["a", 1], compute)
    assert compute.times == 3


def test_without_a_folder_nothing_is_kept() -> None:
    compute = Counting()
    for _ in range(2):
        NOT_KEPT.numbers("counts", [], compute)
    assert compute.times == 2


@pytest.mark.parametrize("damage", ["cut short", "changed", "another's"])
def test_a_damaged_file_is_computed_again(damage: str, tmp_path: Path) -> None:
    kept, compute = KeptResults(tmp_path), Counting()
    kept.numbers("counts", [1], compute)
    (path,) = tmp_path.glob("*/*")
    content = bytearray(path.read_bytes())
    if damage == "another's":
        kept.numbers("counts", [2], compute)
        (other,) = set(tmp_path.glob("*/*")) - {path}
        content = bytearray(other.read_bytes())
    else:
        content[-1] ^= 1
    path.write_bytes(content[: len(content) // 2] if damage == "cut short" else content)
    before = compute.times
    assert kept.numbers("counts", [1], compute).tolist() == [3, -1, 2**40]
    assert compute.times == before + 1


def test_texts_are_told_apart_by_their_ends_and_their_order() -> None:
    assert len({texts_sha256(texts) for texts in (["ab", "c"], ["a", "bc"], ["c", "ab"], ["abc"])}) == 4


def test_clusters_of_near_duplicates_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = KeptResults(tmp_path)
    texts = [f"{text} {text}" for text in TEXTS]
    first = near_duplicate_clusters(texts, kept)
    monkeypatch.setattr("sip_model.corpora.duplicates._found_clusters", lambda _: pytest.fail("again"))
    assert np.array_equal(near_duplicate_clusters(texts, kept), first)


def test_the_lexical_baseline_is_kept_per_labels_and_seed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, labels = KeptResults(tmp_path), Positives.from_lists([np.array([n]) for n in (0, 1, 0, 1)])
    first = lexical_baseline(TEXTS, labels, TEXTS[:2], 0, kept)
    assert first.tolist() == [0, 1]
    swapped = Positives.from_lists([np.array([n]) for n in (1, 0, 1, 0)])
    assert lexical_baseline(TEXTS, swapped, TEXTS[:2], 0, kept).tolist() == [1, 0]
    monkeypatch.setattr("sip_model.analysis.lexical_baseline._predicted", lambda *_: pytest.fail("again"))
    assert lexical_baseline(TEXTS, labels, TEXTS[:2], 0, kept).tolist() == first.tolist()


def test_a_turn_waits_for_the_one_before_it(tmp_path: Path) -> None:
    kept, waited, order = KeptResults(tmp_path / "cache"), Event(), []

    def second() -> None:
        with kept.turn("reading", ["minilm"], waited.set):
            order.append("second")

    with kept.turn("reading", ["minilm"], fail_to_wait):
        thread = Thread(target=second)
        thread.start()
        assert waited.wait(timeout=30)
        with kept.turn("reading", ["another"], fail_to_wait):
            order.append("first")
    thread.join(timeout=30)
    assert order == ["first", "second"]


def test_who_is_told_to_stop_waits_no_longer(tmp_path: Path) -> None:
    kept = KeptResults(tmp_path)
    with (
        kept.turn("reading", [], fail_to_wait),
        pytest.raises(InterruptedError),
        kept.turn("reading", [], fail_to_wait),
    ):
        pass
    with kept.turn("reading", [], fail_to_wait):
        pass


def test_a_process_that_dies_gives_its_turn_away(tmp_path: Path) -> None:
    code = (
        "import os, pathlib, signal\n"
        "from sip_model.kept import KeptResults\n"
        f"with KeptResults(pathlib.Path({str(tmp_path)!r})).turn('reading', [], lambda: None):\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -signal.SIGKILL
    assert list(tmp_path.glob("*.lock"))
    with KeptResults(tmp_path).turn("reading", [], fail_to_wait):
        pass


def test_without_a_folder_nobody_waits() -> None:
    with NOT_KEPT.turn("reading", [], fail_to_wait), NOT_KEPT.turn("reading", [], fail_to_wait):
        pass


def fail_to_wait() -> None:
    raise InterruptedError("waited")
