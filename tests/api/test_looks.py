"""Looks are shared by requests that come before they begin, and by no later ones."""

import asyncio
import threading

from api.looks import LOOKS_AT_ONCE, Answer, Looks
from db.metric_search import MetricPage


def test_requests_woken_at_once_share_a_look_and_later_ones_get_another() -> None:
    began, release = threading.Event(), threading.Event()
    looked: list[int] = []

    def look() -> Answer:
        looked.append(len(looked))
        began.set()
        assert release.wait(20)
        return Answer(MetricPage([], len(looked), has_more=False), b"", may_follow=True)

    async def ask() -> None:
        looks = Looks()
        together = [asyncio.create_task(looks.look("x", look)) for _ in range(50)]
        assert await asyncio.to_thread(began.wait, 20)
        later = asyncio.create_task(looks.look("x", look))
        await asyncio.sleep(0)
        release.set()
        answers = await asyncio.gather(*together)
        assert all(answer is answers[0] for answer in answers)
        assert await later is not answers[0]

    asyncio.run(ask())
    assert looked == [0, 1]


def test_only_a_few_looks_run_at_once() -> None:
    lock = threading.Lock()
    running, most = 0, 0

    def look() -> Answer:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        threading.Event().wait(0.02)
        with lock:
            running -= 1
        return Answer(MetricPage([], 0, has_more=False), b"", may_follow=True)

    async def ask() -> None:
        looks = Looks()
        await asyncio.gather(*(looks.look(number, look) for number in range(20)))

    asyncio.run(ask())
    assert 1 < most <= LOOKS_AT_ONCE
