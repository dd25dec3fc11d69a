"""Ids sort by age and don't repeat."""

from db.ids import new_id


def test_ids_sort_by_the_time_they_were_made() -> None:
    ids = [new_id("exp", clock=1_700_000_000 + 0.001 * i) for i in range(200)]
    assert ids == sorted(ids)
    assert all(i.startswith("exp_") and len(i) == 30 for i in ids)


def test_ids_of_the_same_instant_differ() -> None:
    assert len({new_id("ds", clock=1.0) for _ in range(1000)}) == 1000
