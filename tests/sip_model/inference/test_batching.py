"""Passes that calls share, with a small real backbone."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import pytest

from sip_model.backbones.extract import PassKind, extract_features
from sip_model.backbones.extraction import FloatArray, IntArray
from sip_model.backbones.info import read_info
from sip_model.backbones.load import Backbone, load_backbone
from sip_model.backbones.tokens import TokenIds, encode
from sip_model.inference.batching import Batcher, PassReport
from sip_model.inference.calls import Call, CallOverError, QueueFullError, QueueLimits
from tests.sip_model.backbones.tiny import MAX_TOKENS, make_tiny_backbone

LIMITS = QueueLimits(max_tokens=10**6, max_calls=100, patience_seconds=60)
WAIT_SECONDS = 20
TEXTS = [" ".join(["the river"] * number) for number in range(1, 30)]


@pytest.fixture(scope="module")
def backbone(tmp_path_factory: pytest.TempPathFactory) -> Backbone:
    """A tiny encoder with random weights."""
    folder = make_tiny_backbone(tmp_path_factory.mktemp("bert"), "bert")
    return load_backbone(folder, read_info(folder, "bert", "r"), "cpu", "float32")


@pytest.fixture
def passes() -> list[PassReport]:
    """Those that were made."""
    return []


@pytest.fixture
def batcher(passes: list[PassReport]) -> Iterator[Batcher]:
    """On the CPU, closed after the test."""
    batcher = Batcher("cpu", LIMITS, passes.append)
    yield batcher
    batcher.close()


class Gate:
    """Holds every pass until it is opened, and notes whose texts it has."""

    def __init__(self) -> None:
        self.opened = threading.Event()
        self.entered = threading.Semaphore(0)
        self.lengths: list[list[int]] = []

    def __call__(self, kind: PassKind, texts: Sequence[IntArray], length: int) -> FloatArray:
        self.lengths.append([len(ids) for ids in texts])
        self.entered.release()
        assert self.opened.wait(WAIT_SECONDS)
        return np.zeros((len(texts), 1, 2), np.float32)


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    """Stands before every pass; one thread makes them."""
    gate = Gate()
    monkeypatch.setattr(PassKind, "read_texts", lambda *args: gate(*args))
    monkeypatch.setattr("torch.get_num_threads", lambda: 1)
    yield gate
    gate.opened.set()


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    """Where callers wait."""
    with ThreadPoolExecutor(50) as threads:
        yield threads


def tokens_of(lengths: Sequence[int]) -> TokenIds:
    """Texts of so many tokens."""
    return TokenIds.joined(
        [np.ones(length, np.int64) for length in lengths], np.zeros(len(lengths), np.bool_)
    )


def test_what_is_read_together_is_what_is_read_alone(
    backbone: Backbone, batcher: Batcher, passes: list[PassReport], threads: ThreadPoolExecutor
) -> None:
    expected = extract_features(backbone, TEXTS, (1, 3), "mean").features
    kind = PassKind(backbone, (1, 3), "mean")

    def ask(texts: list[str]) -> FloatArray:
        call = batcher.admit(100)
        try:
            return batcher.read(call, kind, encode(backbone, texts, MAX_TOKENS))
        finally:
            batcher.leave(call)

    singles = [threads.submit(ask, [text]) for text in TEXTS]
    every = ask(TEXTS)
    np.testing.assert_array_equal(every, expected)
    for row, single in enumerate(singles):
        np.testing.assert_array_equal(single.result(WAIT_SECONDS)[0], expected[row])
    assert batcher.state[:2] == (0, 0)
    assert sum(report.num_texts for report in passes) == 2 * len(TEXTS)
    assert batcher.state.tokens_per_second


def submitted(
    batcher: Batcher, threads: ThreadPoolExecutor, kind: PassKind, lengths: Sequence[int]
) -> tuple[Call, "Future[FloatArray]"]:
    """A call that waits for texts of these lengths, once they are in the queue."""
    call, before = batcher.admit(1), batcher.state.tokens - 1
    future = threads.submit(batcher.read, call, kind, tokens_of(lengths))
    until(lambda: batcher.state.tokens == before + sum(lengths))
    return call, future


def until(is_so: Callable[[], bool]) -> None:
    """Wait for what another thread is about to do."""
    ticks = threading.Event()
    for _ in range(WAIT_SECONDS * 1000):
        if is_so():
            return
        ticks.wait(0.001)
    raise AssertionError("it didn't happen")


def test_calls_share_passes_and_a_large_one_is_taken_in_pieces(
    backbone: Backbone, batcher: Batcher, gate: Gate, threads: ThreadPoolExecutor
) -> None:
    kind = PassKind(backbone, (3,), "mean")
    calls = [submitted(batcher, threads, kind, [128] * 64)]
    assert gate.entered.acquire(timeout=WAIT_SECONDS)
    calls += [submitted(batcher, threads, kind, [6]) for _ in range(3)]
    gate.opened.set()
    assert [len(future.result(WAIT_SECONDS)) for _, future in calls] == [64, 1, 1, 1]
    # 64 x 128 tokens are four passes of 2048; the small ones are not behind the last of them
    assert gate.lengths == [[128] * 16, [6, 6, 6], [128] * 16, [128] * 16, [128] * 16]
    for call, _ in calls:
        batcher.leave(call)


def test_what_was_left_is_not_read(
    backbone: Backbone, batcher: Batcher, gate: Gate, threads: ThreadPoolExecutor
) -> None:
    kind = PassKind(backbone, (3,), "mean")
    first, first_future = submitted(batcher, threads, kind, [16])
    assert gate.entered.acquire(timeout=WAIT_SECONDS)
    gone, gone_future = submitted(batcher, threads, kind, [24] * 100)
    batcher.leave(gone)
    with pytest.raises(CallOverError):
        gone_future.result(WAIT_SECONDS)
    assert batcher.state.tokens == 16
    with pytest.raises(CallOverError):
        batcher.read(gone, kind, tokens_of([8]))
    last, last_future = submitted(batcher, threads, kind, [32])
    gate.opened.set()
    assert len(first_future.result(WAIT_SECONDS)) == len(last_future.result(WAIT_SECONDS)) == 1
    assert gate.lengths == [[16], [32]]
    batcher.leave(first)
    batcher.leave(last)


def test_a_call_whose_turn_comes_too_late_is_refused(
    backbone: Backbone, gate: Gate, threads: ThreadPoolExecutor
) -> None:
    now = [0.0]
    batcher = Batcher("cpu", QueueLimits(10**6, 10, 5), lambda _: None, clock=lambda: now[0])
    kind = PassKind(backbone, (3,), "mean")
    first, first_future = submitted(batcher, threads, kind, [16])
    assert gate.entered.acquire(timeout=WAIT_SECONDS)
    late, late_future = submitted(batcher, threads, kind, [24])
    now[0] = 6.0
    gate.opened.set()
    with pytest.raises(QueueFullError):
        late_future.result(WAIT_SECONDS)
    first_future.result(WAIT_SECONDS)
    batcher.leave(first)
    batcher.leave(late)
    assert gate.lengths == [[16]]
    batcher.close()


def test_nothing_is_read_while_a_call_is_alone(
    backbone: Backbone, batcher: Batcher, threads: ThreadPoolExecutor
) -> None:
    kind = PassKind(backbone, (3,), "mean")
    entered, opened = threading.Event(), threading.Event()

    def work() -> str:
        entered.set()
        assert opened.wait(WAIT_SECONDS)
        return "done"

    alone = batcher.admit(1)
    alone_future = threads.submit(batcher.run_alone, alone, work)
    assert entered.wait(WAIT_SECONDS)
    other, other_future = submitted(batcher, threads, kind, [8])
    assert not other_future.done()
    opened.set()
    assert alone_future.result(WAIT_SECONDS) == "done"
    assert other_future.result(WAIT_SECONDS).shape == (1, 1, 32)
    batcher.leave(alone)
    batcher.leave(other)


def test_a_pass_that_fails_is_told_to_those_it_was_for(
    backbone: Backbone, batcher: Batcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = PassKind(backbone, (3,), "mean")

    def fail(*_: object) -> FloatArray:
        raise MemoryError("no room")

    with monkeypatch.context() as patch:
        patch.setattr(PassKind, "read_texts", fail)
        call = batcher.admit(1)
        with pytest.raises(MemoryError, match="no room"):
            batcher.read(call, kind, tokens_of([8]))
        batcher.leave(call)
    call = batcher.admit(1)
    assert batcher.read(call, kind, tokens_of([8])).shape == (1, 1, 32)
    batcher.leave(call)


def test_closing_ends_whoever_waits(backbone: Backbone, gate: Gate, threads: ThreadPoolExecutor) -> None:
    batcher = Batcher("cpu", LIMITS, lambda _: None)
    kind = PassKind(backbone, (3,), "mean")
    _, first_future = submitted(batcher, threads, kind, [16])
    assert gate.entered.acquire(timeout=WAIT_SECONDS)
    _, second_future = submitted(batcher, threads, kind, [24])
    closing = threads.submit(batcher.close)
    with pytest.raises(CallOverError):
        second_future.result(WAIT_SECONDS)
    gate.opened.set()
    assert len(first_future.result(WAIT_SECONDS)) == 1
    closing.result(WAIT_SECONDS)
    call = batcher.admit(1)
    with pytest.raises(CallOverError):
        batcher.read(call, kind, tokens_of([8]))
