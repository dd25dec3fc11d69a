"""Questions that may never be answered."""

import asyncio
import threading

import pytest

from api.probe import Probe


def test_a_question_is_answered() -> None:
    assert asyncio.run(Probe(lambda: 7).ask(5)) == 7


def test_what_the_question_raises_is_raised_where_it_was_asked() -> None:
    def fail() -> int:
        raise LookupError("nothing there")

    with pytest.raises(LookupError, match="nothing there"):
        asyncio.run(Probe(fail).ask(5))


def test_whoever_asks_a_part_that_hangs_shares_one_thread_and_gives_up_in_time() -> None:
    may_answer, asked = threading.Event(), []

    def hang() -> int:
        asked.append(threading.current_thread())
        may_answer.wait()
        return len(asked)

    async def ask() -> int:
        probe = Probe(hang)
        tries = await asyncio.gather(*(probe.ask(0.05) for _ in range(5)), return_exceptions=True)
        assert [type(outcome) for outcome in tries] == [TimeoutError] * 5
        later = asyncio.create_task(probe.ask(10))
        await asyncio.sleep(0)  # it has asked
        may_answer.set()
        return await later

    assert asyncio.run(ask()) == 1
    assert len(asked) == 1


def test_once_answered_it_is_asked_anew() -> None:
    answers = iter([1, 2])
    probe = Probe(lambda: next(answers))

    async def ask_twice() -> tuple[int, int]:
        return await probe.ask(5), await probe.ask(5)

    assert asyncio.run(ask_twice()) == (1, 2)
