"""Names that say which source is meant: titles are not unique, sources must be."""

from collections import Counter
from collections.abc import Iterable, Mapping


def unique_names(titles: Mapping[str, str]) -> dict[str, str]:
    """A name for every key: its title, with the key in brackets where several share it.

    >>> unique_names({"17": "Poems", "18": "Poems", "19": "Emma"})
    {'17': 'Poems (17)', '18': 'Poems (18)', '19': 'Emma'}
    """
    names = dict(titles)
    # a name made here may be a third one's title: go on until no two are the same, as keys are not
    while shared := _shared(names.values()):
        names = {key: f"{name} ({key})" if name in shared else name for key, name in names.items()}
    return names


class NumberedNames:
    """Names given one after another, when those to come are not known: the second `Poems` is `Poems (2)`."""

    def __init__(self) -> None:
        self._times: dict[str, int] = {}

    def give(self, title: str) -> str:
        """A name that hasn't been given yet."""
        name = title
        while name in self._times:
            self._times[title] += 1
            name = f"{title} ({self._times[title]})"
        self._times[name] = 1
        return name


def _shared(names: Iterable[str]) -> set[str]:
    return {name for name, count in Counter(names).items() if count > 1}
