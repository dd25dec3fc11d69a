"""What waits for forward passes."""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from sip_model.backbones.extraction import FloatArray, IntArray
from sip_model.inference.calls import Call

if TYPE_CHECKING:
    from sip_model.backbones.extract import PassKind


@dataclass(slots=True, eq=False)
class Texts:
    """Texts of a call that were put in together."""

    call: Call
    num_left: int
    """Not yet read."""
    features: FloatArray | None = None
    """(n, K, D) once the first were read."""
    future: "Future[FloatArray]" = field(default_factory=Future)


class Text(NamedTuple):
    texts: Texts
    row: int
    """Among the texts."""
    ids: IntArray


class Shared(NamedTuple):
    """What texts that may share a pass have in common."""

    kind: "PassKind"
    group: int
    length: int


@dataclass(slots=True, eq=False)
class Alone:
    """Work of a call during which nothing else is read."""

    call: Call
    work: Callable[[], object]
    future: "Future[object]" = field(default_factory=Future)


class Taken(NamedTuple):
    """What a thread is to do next."""

    what: Shared | Alone
    texts: list[Text]
    """None of work that is alone."""
    has_all_cores: bool


def call_of(item: Text | Alone) -> Call:
    """Whose a waiting item is."""
    return item.call if isinstance(item, Alone) else item.texts.call


def finish(call: Call, future: "Future[Any]", result: object, error: Exception | None) -> None:
    """End a wait of a call, unless the call is over."""
    if future not in call.waits:
        return
    call.waits.remove(future)
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)
