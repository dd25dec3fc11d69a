"""Forward passes shared by all calls: a bounded queue of texts, and threads that read from it.

Each core of a CPU makes passes of its own; one that is alone gets all cores. A GPU makes one at a time. Torch
is imported with the first pass.
"""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast

import numpy as np

from sip_model.backbones.batches import batch_groups, padded_lengths
from sip_model.backbones.extraction import FloatArray
from sip_model.inference.calls import Admission, Call, CallOverError, QueueFullError, QueueLimits, QueueState
from sip_model.inference.fair_queue import FairQueue
from sip_model.inference.speed import Speed
from sip_model.inference.waiting import Alone, Shared, Taken, Text, Texts, call_of, finish

if TYPE_CHECKING:
    from sip_model.backbones.extract import PassKind
    from sip_model.backbones.tokens import TokenIds

Result = TypeVar("Result")


class PassReport(NamedTuple):
    """What one pass was."""

    num_texts: int
    num_tokens: int
    """Padding not counted."""
    seconds: float


class Batcher:
    """Reads the texts of all calls in passes of one length each, the calls in turn.

    Args:
        device: a torch device or ``auto``.
        limits: what may wait.
        on_pass: told of every pass, by the thread that made it.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        device: str,
        limits: QueueLimits,
        on_pass: Callable[[PassReport], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._device = device
        self._on_pass = on_pass
        self._clock = clock
        self._speed = Speed(clock)
        self._admission = Admission(limits, self._speed, clock)
        self._queue: FairQueue[Shared | Alone, Text | Alone] = FairQueue()
        self._changed = threading.Condition()
        self._threads: list[threading.Thread] = []
        self._batch_tokens = 0
        self._num_busy = 0
        self._is_alone = False
        self._is_closed = False

    def admit(self, tokens: int) -> Call:
        """Take a call in; :meth:`leave` it when it is done, or wanted no longer.

        Args:
            tokens: about as many as its texts have.

        Raises:
            QueueFullError: too much waits already.
        """
        with self._changed:
            return self._admission.enter(tokens)

    def leave(self, call: Call) -> None:
        """A call is over; whatever it still waits for ends with `CallOverError`."""
        with self._changed:
            self._admission.leave(call)
            call.give_up(CallOverError())

    def read(self, call: Call, kind: "PassKind", tokens: "TokenIds") -> FloatArray:
        """Wait for the pooled states of a call's texts, (n, K, D).

        Args:
            call: that was admitted.
            kind: of the passes.
            tokens: of n texts, at least one.

        Raises:
            CallOverError: it was left.
            QueueFullError: it waited too long before it began.
            Exception: what a pass of its texts raised.
        """
        info = kind.backbone.info
        padded = padded_lengths(tokens.lengths, info.max_tokens)
        groups = batch_groups(padded, tokens.lengths, is_causal=info.is_causal)
        texts = Texts(call, len(tokens.lengths))
        with self._changed:
            self._open(call, texts.future)
            self._admission.count_in(call, int(tokens.lengths.sum()))
            for row in np.argsort(-groups, kind="stable").tolist():
                ids = tokens.flat[tokens.starts[row] : tokens.starts[row] + tokens.lengths[row]]
                shared = Shared(kind, int(groups[row]), int(padded[row]))
                self._queue.add(call.turn, shared, shared.length, Text(texts, row, ids))
            self._changed.notify_all()
        return texts.future.result()

    def run_alone(self, call: Call, work: Callable[[], Result]) -> Result:
        """Do something in its turn while nothing is read for anybody else.

        Raises:
            CallOverError: it was left.
            QueueFullError: it waited too long before it began.
            Exception: what `work` raised.
        """
        alone = Alone(call, work)
        with self._changed:
            self._open(call, alone.future)
            self._queue.add(call.turn, alone, call.tokens, alone)
            self._changed.notify_all()
        return cast(Result, alone.future.result())

    @property
    def state(self) -> QueueState:
        """What waits now."""
        with self._changed:
            return self._admission.state

    def close(self) -> None:
        """Finish the passes that are being made, and end all calls."""
        with self._changed:
            self._is_closed = True
            while (found := self._queue.take(self._batch_tokens)) is not None:
                for item in found[1]:
                    call_of(item).give_up(CallOverError())
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _open(self, call: Call, future: "Future[Any]") -> None:
        if call.turn.is_over or self._is_closed:
            raise CallOverError
        call.waits.add(future)
        if not self._threads:
            self._start()

    def _start(self) -> None:
        import torch

        from sip_model.backbones.dtypes import resolve_device
        from sip_model.backbones.extract import BATCH_TOKENS

        is_cpu = torch.device(resolve_device(self._device)).type == "cpu"
        self._batch_tokens = BATCH_TOKENS["cpu" if is_cpu else "gpu"]
        num_cores = torch.get_num_threads()
        for number in range(num_cores if is_cpu else 1):
            thread = threading.Thread(
                target=self._serve, args=(num_cores,), name=f"passes-{number}", daemon=True
            )
            self._threads.append(thread)
            thread.start()

    def _serve(self, num_cores: int) -> None:
        import torch

        while (taken := self._take()) is not None:
            torch.set_num_threads(num_cores if taken.has_all_cores else 1)
            started = self._clock()
            try:
                done = taken.what.work() if isinstance(taken.what, Alone) else _read(taken.what, taken.texts)
            except Exception as error:  # noqa: BLE001 - the callers raise it
                self._end(taken, error=error)
            else:
                self._end(taken, done)
            num_tokens = sum(len(text.ids) for text in taken.texts)
            self._on_pass(PassReport(len(taken.texts), num_tokens, self._clock() - started))

    def _take(self) -> Taken | None:
        """What to do next, waiting for it; None once the batcher is closed."""
        with self._changed:
            taken = None
            while taken is None:
                self._changed.wait_for(
                    lambda: self._is_closed or not (self._is_alone or self._queue.is_empty)
                )
                if self._is_closed:
                    return None
                taken = self._next()
            if isinstance(taken.what, Alone):
                self._is_alone = True
                self._changed.wait_for(lambda: self._num_busy == 0)
            if self._num_busy == 0:
                self._speed.begin()
            self._num_busy += 1
            return taken

    def _next(self) -> Taken | None:
        """The next pass without the texts that come too late; None when nothing is left of it."""
        found = self._queue.take(self._batch_tokens)
        if found is None:
            return None
        what, items = found
        wanted = [item for item in items if self._has_begun(call_of(item))]
        if not wanted:
            return None
        has_all_cores = isinstance(what, Alone) or (self._num_busy == 0 and self._queue.is_empty)
        return Taken(what, [item for item in wanted if isinstance(item, Text)], has_all_cores)

    def _has_begun(self, call: Call) -> bool:
        try:
            self._admission.begin(call)
        except QueueFullError as error:
            call.give_up(error)
        return not call.turn.is_over

    def _end(self, taken: Taken, done: object = None, error: Exception | None = None) -> None:
        """Hand over what was made, or the error."""
        with self._changed:
            self._num_busy -= 1
            self._speed.count(sum(len(text.ids) for text in taken.texts))
            if isinstance(taken.what, Alone):
                self._is_alone = False
                finish(taken.what.call, taken.what.future, done, error)
            for place, text in enumerate(taken.texts):
                texts = text.texts
                self._admission.count_out(texts.call, len(text.ids))
                if error is not None:
                    texts.call.give_up(error)
                    continue
                pooled = cast(FloatArray, done)  # (B, K, D)
                if texts.features is None:
                    texts.features = np.empty((texts.num_left, *pooled.shape[1:]), np.float32)
                texts.features[text.row] = pooled[place]
                texts.num_left -= 1
                if texts.num_left == 0:
                    finish(texts.call, texts.future, texts.features, None)
            self._changed.notify_all()


def _read(shared: Shared, texts: list[Text]) -> FloatArray:
    return shared.kind.read_texts([text.ids for text in texts], shared.length)
