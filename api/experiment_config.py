"""From the `config` of a request to the resolved configuration of its kind, every default written out."""

from collections.abc import Mapping
from functools import cache
from inspect import getdoc
from typing import NamedTuple

import orjson
from pydantic import TypeAdapter, ValidationError

from api.errors import InvalidRequestError, invalid
from api.validation import field_errors
from db.tables import JSONObject
from sip_model.errors import Location
from sip_model.experiments.kind_config import KindConfig
from sip_model.experiments.kinds import KINDS
from sip_model.experiments.suite import SuiteConfig

MAX_CONFIG_BYTES = 65_536


class KindDescription(NamedTuple):
    """What a kind is and takes."""

    description: str
    needs_dataset: bool
    config_schema: JSONObject
    config_defaults: JSONObject


def resolve_config(kind: str, config: Mapping[str, object], loc: Location = ("body", "config")) -> KindConfig:
    """The configuration object of `kind` for what the caller gave.

    Types are taken strictly: "12" is no number and true is none either.

    Args:
        loc: where it stood in the request.

    Raises:
        InvalidRequestError: unknown kind (``body.kind``), or a field that can't be used (``body.config…``).
    """
    if kind not in KINDS:
        raise invalid(("body", "kind"), f"one of {', '.join(KINDS)}", "another kind")
    text = _encoded(config)
    try:
        return _adapter(kind).validate_json(text, strict=True)
    except ValidationError as error:
        raise InvalidRequestError.of(field_errors(error.errors(include_url=False), loc)) from None


def dump_config(kind: str, config: KindConfig) -> JSONObject:
    """`config` as JSON, every field written out: the form that is stored and returned."""
    dumped: JSONObject = _adapter(kind).dump_python(config, mode="json")
    return dumped


def describe_kind(kind: str) -> KindDescription:
    """A kind's meaning, the JSON Schema of its configuration and the one resolved for ``{}``."""
    return KindDescription(
        description=" ".join((getdoc(KINDS[kind]) or "").partition(": ")[2].split()),
        needs_dataset=not issubclass(KINDS[kind], SuiteConfig),
        config_schema=_adapter(kind).json_schema(),
        config_defaults=dump_config(kind, resolve_config(kind, {})),
    )


def _encoded(config: Mapping[str, object]) -> bytes:
    try:
        text = orjson.dumps(config)
    except orjson.JSONEncodeError:
        raise invalid(("body", "config"), "blocks of plain values", "an object nested too deep") from None
    if len(text) > MAX_CONFIG_BYTES:
        raise invalid(("body", "config"), f"at most {MAX_CONFIG_BYTES} bytes", str(len(text)))
    return text


@cache
def _adapter(kind: str) -> TypeAdapter[KindConfig]:
    return TypeAdapter(KINDS[kind])
