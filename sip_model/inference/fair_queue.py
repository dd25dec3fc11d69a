"""What waits for a forward pass: texts of many calls, dealt to passes so that no call waits for a larger one.

Start-time fair queueing (Goyal, Vin and Cheng 1996) over texts. Each text has a tag: how many tokens its call
had been served when the text's turn comes, on a clock that runs with the service. The smallest tag is next.
A call that comes late starts at the present time, before all that large calls have yet to come.
"""

import heapq
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Group = TypeVar("Group", bound=Hashable)
Item = TypeVar("Item")


@dataclass(slots=True, eq=False)
class Turn:
    """A call's place in the queue."""

    next_tag: float = 0.0
    """Tag of its next text, in tokens."""
    is_over: bool = False
    """Whether its texts are no longer wanted; they are dropped as they come up."""


@dataclass(slots=True, order=True)
class _Waiting(Generic[Item]):
    tag: float
    number: int
    """Of arrival: equal tags are served in that order."""
    tokens: int = field(compare=False)
    turn: Turn = field(compare=False)
    item: Item = field(compare=False)


class FairQueue(Generic[Group, Item]):
    """Texts that wait, by the group whose members can share a pass; for one thread at a time."""

    def __init__(self) -> None:
        self._groups: dict[Group, list[_Waiting[Item]]] = {}
        self._now = 0.0
        self._num_seen = 0

    def add(self, turn: Turn, group: Group, tokens: int, item: Item) -> None:
        """Put a text in.

        Args:
            turn: of the call it belongs to.
            group: what it may share a pass with.
            tokens: it takes up in a pass.
            item: handed back by :meth:`take`.
        """
        tag = max(self._now, turn.next_tag)
        turn.next_tag = tag + tokens
        self._num_seen += 1
        waiting = _Waiting(tag, self._num_seen, tokens, turn, item)
        heapq.heappush(self._groups.setdefault(group, []), waiting)

    def take(self, max_tokens: int) -> tuple[Group, list[Item]] | None:
        """The texts of the next pass: the one whose turn it is, and others of its group in their order.

        Args:
            max_tokens: of the pass; one longer text is a pass.

        Returns:
            None when nothing is waiting.
        """
        for group in list(self._groups):
            self._drop_unwanted(group)
        if not self._groups:
            return None
        group = min(self._groups, key=lambda each: self._groups[each][0])
        heap = self._groups[group]
        self._now = heap[0].tag
        taken = [heapq.heappop(heap)]
        room = max_tokens - taken[0].tokens
        while self._drop_unwanted(group) and heap[0].tokens <= room:
            taken.append(heapq.heappop(heap))
            room -= taken[-1].tokens
        return group, [each.item for each in taken]

    @property
    def is_empty(self) -> bool:
        """Whether there is no text, wanted or not."""
        return not self._groups

    def _drop_unwanted(self, group: Group) -> bool:
        """Whether anything of the group is left once what is no longer wanted has gone from its head."""
        heap = self._groups[group]
        while heap and heap[0].turn.is_over:
            heapq.heappop(heap)
        if not heap:
            del self._groups[group]
        return bool(heap)
