"""An evidence index on disk."""

from pathlib import Path

import numpy as np
import pytest

from sip_model.errors import ArtifactError
from sip_model.evidence.passages import BLOCK_PASSAGES, Passage, Passages
from sip_model.evidence.store import open_evidence, save_evidence
from sip_model.experiments.evidence import EVIDENCE_FILE
from tests.sip_model.evidence.corpus import make_index

MADE = make_index()


def test_an_opened_index_finds_what_the_saved_one_did(tmp_path: Path) -> None:
    path = tmp_path / EVIDENCE_FILE
    opened = open_evidence(path, save_evidence(MADE.index, path))
    query = MADE.query([passage.text for passage in MADE.passages], MADE.sources)
    for one, other in zip(MADE.index.search(query), opened.search(query), strict=True):
        np.testing.assert_array_equal(one.passages, other.passages)
        np.testing.assert_array_equal(one.quoted, other.quoted)
    assert opened.passages.read([3])[3] == MADE.passages[3]


def test_an_opened_index_is_mapped_not_read(tmp_path: Path) -> None:
    path = tmp_path / EVIDENCE_FILE
    opened = open_evidence(path, save_evidence(MADE.index, path))
    assert opened.vectors is not None
    address = opened.vectors.vectors.__array_interface__["data"][0]
    mapped = [line for line in Path("/proc/self/maps").read_text().splitlines() if EVIDENCE_FILE in line]
    edges = [[int(edge, 16) for edge in line.split()[0].split("-")] for line in mapped]
    assert any(start <= address < end for start, end in edges)


def test_the_same_index_is_the_same_file(tmp_path: Path) -> None:
    first, second = (save_evidence(make_index().index, tmp_path / name) for name in ("a", "b"))
    assert first == second


@pytest.mark.parametrize("length", [0, 7, -1])
def test_a_file_cut_short_is_refused(tmp_path: Path, length: int) -> None:
    path = tmp_path / EVIDENCE_FILE
    sha256 = save_evidence(MADE.index, path)
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(ArtifactError, match="sha256"):
        open_evidence(path, sha256)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError):
        open_evidence(tmp_path / EVIDENCE_FILE, "0" * 64)


def test_passages_are_stored_compressed_and_read_by_number() -> None:
    passages = [
        Passage(f"d{n}", n, n + 9, f"passage \ud800 {n} " * 20) for n in range(3 * BLOCK_PASSAGES + 1)
    ]
    kept = Passages.build(passages)
    wanted = [0, BLOCK_PASSAGES - 1, BLOCK_PASSAGES, 3 * BLOCK_PASSAGES]
    assert kept.read(wanted) == {number: passages[number] for number in wanted}
    assert len(kept.blocks) < sum(len(passage.text) for passage in passages) / 4
