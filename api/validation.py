"""Pydantic's validation errors in the house's form: field, expected, found; never the value itself."""

import math
import re
from collections.abc import Sequence, Sized

from pydantic_core import ErrorDetails

from api.errors import FieldError, field_error
from sip_model.errors import InvalidInputError, Location

# Pydantic puts the branch of a union it tried into the location: "literal['last']", "tuple[int, ...]", "str".
BRANCH = re.compile(
    r"^(literal|tuple|list|dict|function-\w+|constrained-\w+|nullable)\[|^(str|int|float|bool|none)$"
)
MAX_ERRORS = 25
UNKNOWN_KEY = frozenset({"extra_forbidden", "unexpected_keyword_argument"})
ONE_FIELD = re.compile(r"^(\w+): (?=expected )")


def field_errors(details: Sequence[ErrorDetails], prefix: Location = ()) -> list[FieldError]:
    """One entry per field, in order, at most `MAX_ERRORS`.

    The branches of a union are joined; a place inside a field wins over the field.
    """
    entries = [_entry(detail, prefix) for detail in details[: 4 * MAX_ERRORS]]
    deepest = [e for e in entries if not any(_inside(other.loc, e.loc) for other in entries)]
    merged: dict[Location, FieldError] = {}
    for entry in deepest:
        known = merged.get(entry.loc)
        merged[entry.loc] = entry if known is None else _either(known, entry)
    return list(merged.values())[:MAX_ERRORS]


def describe(value: object) -> str:
    """What was given, without giving it back: type and size; a finite number as it is."""
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int():
            return str(value) if abs(value) < 2**63 else "an integer beyond 64 bits"
        case float():
            return repr(value) if math.isfinite(value) else "a number that is not finite"
        case str():
            return f"a string of {_count(value, 'character')}" if value else "an empty string"
        case bytes():
            return _count(value, "byte")
        case list() | tuple():
            return f"an array of {_count(value, 'item')}"
        case dict():
            return f"an object of {_count(value, 'key')}"
        case _:
            return "something else"


def _count(value: Sized, unit: str) -> str:
    return f"{len(value)} {unit}{'' if len(value) == 1 else 's'}"


def _entry(detail: ErrorDetails, prefix: Location) -> FieldError:
    kind, loc = detail["type"], _without_branches(detail["loc"], detail["type"])
    if kind == "missing":
        return FieldError((*prefix, *loc), "expected this field; found nothing", kind)
    if kind in UNKNOWN_KEY:
        return FieldError(
            (*prefix, *loc),
            "expected no such field; found it. Check its spelling, or leave it out",
            "unknown_field",
        )
    if kind == "value_error":
        cause = detail["ctx"]["error"]
        if isinstance(cause, InvalidInputError):
            return field_error((*prefix, *loc), cause)
        # Raised by a configuration block: "field: expected ..., found ...".
        message = str(cause)
        named = ONE_FIELD.match(message)
        where = (*loc, named.group(1)) if named else loc
        return FieldError((*prefix, *where), message[named.end() :] if named else message, kind)
    expected = _expected(detail)
    return FieldError((*prefix, *loc), f"expected {expected}; found {describe(detail['input'])}", kind)


def _expected(detail: ErrorDetails) -> str:
    if detail["type"] == "string_pattern_mismatch":
        return f"a string that matches {detail['ctx']['pattern']}"
    if detail["type"] in ("dataclass_type", "model_type", "model_attributes_type", "dict_type"):
        return "an object"
    message = detail["msg"]
    for start in ("Input should be ", "Input should have ", "String should have ", "List should have "):
        if message.startswith(start):
            noun = {"String": "a string with ", "List": "an array with "}.get(start.split()[0], "")
            return (
                (noun + message.removeprefix(start))
                .split(" after validation")[0]
                .split(", unable to parse")[0]
            )
    return message[:1].lower() + message[1:]


def _without_branches(loc: Sequence[str | int], kind: str) -> Location:
    if kind in UNKNOWN_KEY:  # the last part is the caller's own key, whatever it looks like
        return (*_without_branches(loc[:-1], ""), *loc[-1:])
    return tuple(part for part in loc if isinstance(part, int) or not BRANCH.match(part))


def _inside(inner: Location, outer: Location) -> bool:
    return len(inner) > len(outer) and inner[: len(outer)] == outer


def _either(first: FieldError, second: FieldError) -> FieldError:
    expected, _, found = first.msg.partition("; found ")
    other = second.msg.partition("; found ")[0].removeprefix("expected ")
    if other == "a valid list":
        other = "a list of such"
    return FieldError(first.loc, f"{expected}, or {other}; found {found}", first.type)
