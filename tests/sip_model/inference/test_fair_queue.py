"""Whose texts are read next."""

from hypothesis import given
from hypothesis import strategies as st

from sip_model.inference.fair_queue import FairQueue, Turn

CALLS = st.lists(st.lists(st.integers(1, 60), min_size=1, max_size=12), min_size=1, max_size=8)


def taken(queue: FairQueue[int, str], max_tokens: int) -> list[str]:
    """The items of the next pass."""
    found = queue.take(max_tokens)
    return [] if found is None else found[1]


def test_a_small_call_that_comes_late_is_next() -> None:
    queue: FairQueue[int, str] = FairQueue()
    large = Turn()
    for number in range(10):
        queue.add(large, 100, 100, f"large {number}")
    assert taken(queue, 100) == ["large 0"]
    queue.add(Turn(), 8, 8, "small")
    # what began together with the small call, then the small one, before all that is left of the large
    assert [taken(queue, 100) for _ in range(3)] == [["small"], ["large 1"], ["large 2"]]


def test_two_large_calls_take_turns() -> None:
    queue: FairQueue[int, str] = FairQueue()
    for name in ("a", "b"):
        turn = Turn()
        for _ in range(3):
            queue.add(turn, 10, 10, name)
    assert [taken(queue, 10)[0] for _ in range(6)] == ["a", "b", "a", "b", "a", "b"]


def test_texts_of_a_group_share_a_pass_whoever_they_are_of() -> None:
    queue: FairQueue[int, str] = FairQueue()
    for name in ("a", "b", "c"):
        turn = Turn()
        queue.add(turn, 8, 8, f"{name} short")
        queue.add(turn, 64, 64, f"{name} long")
    assert taken(queue, 20) == ["a short", "b short"]
    assert taken(queue, 20) == ["c short"]
    assert taken(queue, 1000) == ["a long", "b long", "c long"]
    assert queue.is_empty


def test_what_is_no_longer_wanted_is_not_read() -> None:
    queue: FairQueue[int, str] = FairQueue()
    left, stays = Turn(), Turn()
    for number in range(3):
        queue.add(left, 8, 8, f"left {number}")
        queue.add(stays, 8, 8, f"stays {number}")
    left.is_over = True
    assert taken(queue, 1000) == ["stays 0", "stays 1", "stays 2"]
    assert queue.take(1000) is None
    assert queue.is_empty


@given(CALLS, st.integers(1, 200))
def test_every_text_is_taken_once_in_passes_that_fit(calls: list[list[int]], max_tokens: int) -> None:
    queue: FairQueue[int, tuple[int, int]] = FairQueue()
    for number, lengths in enumerate(calls):
        turn = Turn()
        for row, length in enumerate(lengths):
            queue.add(turn, length, length, (number, row))
    seen = []
    while (found := queue.take(max_tokens)) is not None:
        length, items = found
        assert len(items) * length <= max_tokens or len(items) == 1
        assert all(calls[number][row] == length for number, row in items)
        seen += items
    assert sorted(seen) == [(n, row) for n, lengths in enumerate(calls) for row in range(len(lengths))]


@given(CALLS)
def test_no_call_is_served_far_ahead_of_another(calls: list[list[int]]) -> None:
    queue: FairQueue[tuple[int, int], int] = FairQueue()
    left = [sum(lengths) for lengths in calls]
    served = [0] * len(calls)
    for number, lengths in enumerate(calls):
        turn = Turn()
        for row, length in enumerate(lengths):
            queue.add(turn, (number, row), length, number)
    longest = max(max(lengths) for lengths in calls)
    while (found := queue.take(1)) is not None:
        (number, row), _ = found
        served[number] += calls[number][row]
        left[number] -= calls[number][row]
        waiting = [served[other] for other in range(len(calls)) if left[other]]
        assert all(served[number] - other <= 2 * longest for other in waiting)
