"""How much may wait, and what is said to whoever comes too much."""

import pytest

from sip_model.inference.calls import Admission, QueueFullError, QueueLimits
from sip_model.inference.speed import Speed


class Clock:
    """Time that goes on when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """At zero."""
    return Clock()


def measured(clock: Clock, tokens_per_second: int) -> Speed:
    """A speed that has read for a second."""
    speed = Speed(clock)
    speed.begin()
    clock.now += 1
    speed.count(tokens_per_second)
    return speed


def test_the_time_to_come_back_follows_from_queue_and_speed(clock: Clock) -> None:
    admission = Admission(QueueLimits(1000, 10, 60), measured(clock, 100), clock)
    admission.enter(900)
    with pytest.raises(QueueFullError) as full:
        admission.enter(500)  # 400 too many, at 100 a second
    assert full.value.retry_after_seconds == 4
    assert admission.enter(100).tokens == 100


def test_what_could_not_begin_in_time_is_not_taken(clock: Clock) -> None:
    admission = Admission(QueueLimits(10**6, 10, 5), measured(clock, 100), clock)
    admission.enter(450)
    with pytest.raises(QueueFullError) as full:
        admission.enter(100)  # 550 tokens take 5.5 s
    assert full.value.retry_after_seconds == 1


def test_a_call_larger_than_the_queue_is_taken_alone(clock: Clock) -> None:
    admission = Admission(QueueLimits(100, 10, 60), Speed(clock), clock)
    large = admission.enter(5000)
    with pytest.raises(QueueFullError):
        admission.enter(1)
    admission.leave(large)
    assert admission.state.tokens == 0
    admission.enter(1)


def test_calls_are_bounded_too(clock: Clock) -> None:
    admission = Admission(QueueLimits(1000, 2, 60), measured(clock, 10), clock)
    first = admission.enter(20)
    admission.enter(40)
    with pytest.raises(QueueFullError) as full:
        admission.enter(1)
    assert full.value.retry_after_seconds == 3  # half of 60 tokens at 10 a second
    admission.leave(first)
    admission.enter(1)


def test_an_estimate_gives_way_to_what_was_tokenised(clock: Clock) -> None:
    admission = Admission(QueueLimits(1000, 10, 60), Speed(clock), clock)
    call = admission.enter(900)
    admission.count_in(call, 30)
    admission.count_in(call, 12)
    assert admission.state.tokens == 42
    admission.count_out(call, 30)
    assert admission.state == (1, 12, None)
    admission.leave(call)
    assert admission.state == (0, 0, None)


def test_a_call_that_waited_too_long_is_refused_once_it_is_its_turn(clock: Clock) -> None:
    admission = Admission(QueueLimits(1000, 10, 5), measured(clock, 100), clock)
    begun, late = admission.enter(10), admission.enter(10)
    admission.begin(begun)
    clock.now += 6
    admission.begin(begun)
    with pytest.raises(QueueFullError):
        admission.begin(late)


def test_speed_is_of_the_time_in_which_something_was_read(clock: Clock) -> None:
    speed = measured(clock, 100)
    assert speed.tokens_per_second == 100
    clock.now += 1000  # nothing to read
    speed.begin()
    clock.now += 1
    speed.count(100)
    assert speed.tokens_per_second == pytest.approx(100)
    for _ in range(100):
        clock.now += 1
        speed.count(10)
    assert speed.tokens_per_second == pytest.approx(10, rel=0.01)
