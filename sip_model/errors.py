"""The errors this package raises for input it can't use; the API turns them into 4xx answers."""

Location = tuple[str | int, ...]


class InvalidInputError(ValueError):
    """Something a caller gave can't be used.

    The message names the field, what was expected, what was found and, where it helps, what to do.

    Args:
        loc: path to the offending field, e.g. ``("backbone", "layers", 2)`` or ``("line 17", "source")``.
        expected: what would have been accepted, as a noun phrase.
        found: what was given, as a short noun phrase; never the caller's text itself.
        hint: what to do about it, one sentence.
    """

    def __init__(self, loc: Location, expected: str, found: str, hint: str = "") -> None:
        self.loc = loc
        self.expected = expected
        self.found = found
        self.hint = hint
        field = ".".join(str(part) for part in loc)
        super().__init__(f"{field}: expected {expected}; found {found}" + (f". {hint}" if hint else ""))

    def __reduce__(self) -> tuple[type["InvalidInputError"], tuple[Location, str, str, str]]:
        return type(self), (self.loc, self.expected, self.found, self.hint)


class CorpusError(InvalidInputError):
    """A corpus file that can't be read or holds a line that can't be used; ``loc`` names line and field."""


class OriginUnreachableError(Exception):
    """What a corpus is fetched from doesn't answer; trying again later may work."""


class BackboneError(InvalidInputError):
    """A backbone that may not be loaded, can't be loaded, or can't do what was asked of it."""


class ArtifactError(InvalidInputError):
    """A model artifact or cache file that is damaged, incomplete or not of our making."""
