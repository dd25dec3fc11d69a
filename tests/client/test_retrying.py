"""When a request is sent again, by a clock that the test moves."""

from collections.abc import Iterable

import pytest

from client import ApiError, ClientError, ConnectionFailedError
from client.retrying import Retrying


class Clock:
    """Time that passes while someone sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.pauses: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


def run(
    clock: Clock, answers: Iterable[str | Exception], patience_seconds: float = 10.0, repeatable: bool = True
) -> str:
    """What comes of a service that answers so, one answer per request."""
    coming = iter(answers)

    def send() -> str:
        answer = next(coming)
        if isinstance(answer, Exception):
            raise answer
        return answer

    attempts = Retrying(clock=clock).begin(patience_seconds, repeatable=repeatable)
    while True:
        try:
            return send()
        except ClientError as error:
            clock.sleep(attempts.pause_after(error))


def refusal(status: int, retry_after: float | None = None, type: str = "about:blank") -> ApiError:
    return ApiError(status, "No", "", type, retry_after_seconds=retry_after)


def in_flight() -> ApiError:
    return refusal(409, 1.0, "/problems/request-in-flight")


GONE = ConnectionFailedError("http://x", "gone")


def test_no_answer_and_a_busy_service_are_asked_again(clock: Clock) -> None:
    assert run(clock, [GONE, refusal(503), refusal(429), "made"]) == "made"
    assert 0.25 <= clock.pauses[0] <= 0.5 < clock.pauses[2] <= 2
    assert clock.pauses[0] < clock.pauses[2]


def test_the_pause_is_the_one_the_service_asks_for(clock: Clock) -> None:
    assert run(clock, [refusal(503, 7.0), refusal(429, 3.0), "made"]) == "made"
    assert clock.pauses == [7.0, 3.0]


def test_it_gives_up_after_four_attempts(clock: Clock) -> None:
    with pytest.raises(ConnectionFailedError):
        run(clock, [GONE] * 4)
    assert len(clock.pauses) == 3


def test_a_service_that_asks_for_a_long_pause_is_not_waited_for(clock: Clock) -> None:
    with pytest.raises(ApiError, match="503"):
        run(clock, [refusal(503, 61.0)])
    assert clock.pauses == []


@pytest.mark.parametrize("status", [400, 401, 404, 409, 422, 500])
def test_what_would_be_answered_the_same_again_is_not_asked_again(status: int, clock: Clock) -> None:
    with pytest.raises(ApiError, match=str(status)):
        run(clock, [refusal(status)])


def test_what_is_being_worked_on_is_awaited_beyond_the_attempts(clock: Clock) -> None:
    assert run(clock, [GONE, *[in_flight()] * 8, "made"]) == "made"
    with pytest.raises(ApiError, match="409"):
        run(clock, [in_flight()] * 100, patience_seconds=20.0)


def test_what_may_have_been_done_already_is_not_asked_again(clock: Clock) -> None:
    with pytest.raises(ConnectionFailedError):
        run(clock, [GONE, "made twice"], repeatable=False)
    assert run(clock, [refusal(503), "made"], repeatable=False) == "made"


@pytest.mark.parametrize(
    ("answered", "connected", "is_final"), [(False, False, True), (False, True, False), (True, False, False)]
)
def test_where_nothing_listens_a_person_is_told_at_once(
    clock: Clock, answered: bool, connected: bool, is_final: bool
) -> None:
    attempts = Retrying(await_first_answer=False, clock=clock).begin(10.0, answered=answered)
    error = ConnectionFailedError("http://x", "no", connected=connected)
    if is_final:
        with pytest.raises(ConnectionFailedError):
            attempts.pause_after(error)
    else:
        assert attempts.pause_after(error) > 0
