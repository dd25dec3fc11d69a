"""Bodies as they arrive: counted, timed, and refused before anything else looks at them."""

import asyncio
import json

import pytest
from starlette.types import Message, Receive, Scope, Send

from api.body_limit import BodyLimitMiddleware, BodyLimits
from api.errors import BodyTooLargeError, BodyTooSlowError

LIMITS = BodyLimits(max_bytes=100, max_upload_bytes=1000, grace_seconds=0.2, bytes_per_second=1000)
Part = tuple[float, bytes]
"""Seconds after the part before, and what comes then."""


def scope(path: str = "/classify", **headers: str) -> Scope:
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http", "method": "POST", "path": path, "headers": pairs, "state": {}}


def sent(parts: list[Part], *, ends: bool = True) -> Receive:
    """A client that sends these parts, then the end or nothing more."""
    left = list(parts)

    async def receive() -> Message:
        if not left:
            await asyncio.Event().wait()
        pause, body = left.pop(0)
        await asyncio.sleep(pause)
        return {"type": "http.request", "body": body, "more_body": bool(left) or not ends}

    return receive


def read(
    receive: Receive, limits: BodyLimits = LIMITS, scope: Scope | None = None
) -> tuple[int, list[Message]]:
    """Bytes that an application behind the limits gets of a body, and what was sent back."""
    got = 0
    answered: list[Message] = []

    async def application(_: Scope, receive: Receive, __: Send) -> None:
        nonlocal got
        more = True
        while more:
            message = await receive()
            got += len(message["body"])
            more = message["more_body"]

    async def send(message: Message) -> None:
        answered.append(message)

    asyncio.run(BodyLimitMiddleware(application, limits)(scope or POST, receive, send))
    return got, answered


POST = scope()


def test_a_body_within_the_limits_passes() -> None:
    assert read(sent([(0, b"x" * 60), (0, b"x" * 40)])) == (100, [])
    upload = scope("/datasets", content_type="multipart/form-data; boundary=x")
    assert read(sent([(0, b"x" * 1000)]), scope=upload) == (1000, [])


@pytest.mark.parametrize("sizes", [[101], [60, 41], [100, 1], [1] * 101])
def test_a_body_of_unstated_length_is_refused_with_the_byte_that_is_too_many(sizes: list[int]) -> None:
    endless = sent([(0, b"x" * size) for size in sizes], ends=False)
    with pytest.raises(BodyTooLargeError):
        read(endless)


@pytest.mark.parametrize("stated", ["101", "9" * 30, "1000000000000"])
def test_a_stated_length_is_answered_before_anything_is_read(stated: str) -> None:
    got, answered = read(sent([]), scope=scope(content_length=stated))
    assert got == 0
    assert answered[0]["status"] == 413
    assert (b"connection", b"close") in answered[0]["headers"]
    assert json.loads(answered[1]["body"])["status"] == 413


def test_a_length_that_lies_is_no_leave_to_send_more() -> None:
    with pytest.raises(BodyTooLargeError):
        read(sent([(0, b"x" * 200)]), scope=scope(content_length="10"))


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param([], id="nothing comes"),
        pytest.param([(0, b"x"), (10, b"x")], id="it stops"),
        pytest.param([(0.03, b"x")] * 90, id="a byte now and then"),
    ],
)
def test_a_body_that_comes_too_slowly_is_given_up(parts: list[Part]) -> None:
    with pytest.raises(BodyTooSlowError) as refused:
        read(sent(parts, ends=False))
    assert refused.value.status == 408
    assert refused.value.headers == {"Connection": "close"}


def test_a_body_that_keeps_coming_may_take_longer_than_the_grace() -> None:
    steady: list[Part] = [(0.03, b"x" * 9)] * 11
    slow_enough = BodyLimits(max_bytes=100, max_upload_bytes=100, grace_seconds=0.2, bytes_per_second=100)
    assert read(sent(steady), slow_enough)[0] == 99


def test_what_the_application_does_between_the_parts_is_not_the_client_s_time() -> None:
    async def slow_application(_: Scope, receive: Receive, __: Send) -> None:
        for _number in range(3):
            await receive()
            await asyncio.sleep(0.15)

    async def nothing(_: Message) -> None:
        return

    parts = sent([(0, b"x")] * 3)
    asyncio.run(BodyLimitMiddleware(slow_application, LIMITS)(POST, parts, nothing))


def test_after_the_body_a_client_may_wait_for_as_long_as_it_likes() -> None:
    async def until_it_leaves(_: Scope, receive: Receive, __: Send) -> None:
        await receive()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await receive()

    async def nothing(_: Message) -> None:
        return

    asyncio.run(BodyLimitMiddleware(until_it_leaves, LIMITS)(POST, sent([(0, b"x")]), nothing))
