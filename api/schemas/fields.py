"""Field types that several requests share. What Postgres or a JSON answer can't hold is refused here."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from sip_model.errors import InvalidInputError

MAX_TEXT_CHARACTERS = 2_000_000
MAX_TEXTS = 65_536
"""Bound of the schema; the setting `max_texts` is the service's own, lower one."""
RESERVED_PREFIXES = ("ds_", "exp_", "mdl_", "bb_", "key_")
RESERVED_NAMES = frozenset({"default", "minilm", ".", ".."})


def check_name(name: str) -> str:
    """A name as it stands in paths and lists: printable, no slash, no @, not shaped like an id."""
    if name != name.strip() or not name.isprintable() or set(name) & set("/\\@"):
        raise InvalidInputError(
            (), "printable characters without /, \\ and @, no spaces at the ends", "others"
        )
    if name.startswith(RESERVED_PREFIXES) or name in RESERVED_NAMES:
        raise InvalidInputError((), "a name that is no id and not reserved", "one that is")
    return name


def check_storable(text: str) -> str:
    """Refuse the NUL character, which the database can't hold."""
    if "\0" in text:
        raise InvalidInputError((), "characters other than NUL", "a NUL character")
    return text


Name = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(check_name)]
Reference = Annotated[str, Field(min_length=1, max_length=420), AfterValidator(check_storable)]
_FilterValue = Annotated[str, Field(max_length=420), AfterValidator(check_storable)]
Filter = _FilterValue | None
Filters = Annotated[Sequence[_FilterValue], Field(max_length=200)]
Numbers = Annotated[Sequence[Annotated[int, Field(ge=0, le=2**31 - 1)]], Field(max_length=200)]
Seed = Annotated[int, Field(ge=0, le=2**31 - 1)]


def check_text(text: str) -> str:
    """Refuse texts that say nothing: there is no source to find in them."""
    if not text.strip():
        raise InvalidInputError((), "a text with a character that is no space", "an empty or blank one")
    return check_storable(text)


Text = Annotated[str, Field(max_length=MAX_TEXT_CHARACTERS), AfterValidator(check_text)]
# The first text that can't be used ends the check: a long list of them must not become as many errors.
Texts = Text | Annotated[list[Text], Field(min_length=1, max_length=MAX_TEXTS, fail_fast=True)]


class StrictRequest(BaseModel):
    """Base of the request bodies: unknown keys are refused, types are taken as they are."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
