"""The service's settings, from the environment and the command line."""

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from db.errors import StoreError
from db.settings import Settings


class InvalidSettingsError(StoreError):
    """Settings that can't be used; one line each, without the value, which may be a password."""


def load_settings(**given: object) -> Settings:
    """The settings; those given here (and not None) win over the environment's.

    Raises:
        InvalidSettingsError: names each setting that can't be used, and why.
    """
    try:
        return Settings.model_validate({name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False)
        raise InvalidSettingsError("\n".join(_describe(problem) for problem in problems)) from error


def _describe(problem: ErrorDetails) -> str:
    name = ".".join(str(part) for part in problem["loc"])
    message = problem["msg"].removeprefix("Value error, ")
    if name:
        return f"SIP_{name.upper()}: {message}"
    # What pydantic-settings says of a list or table that it can't decode.
    if message.startswith("error parsing value"):
        return f"{message}; expected JSON, such as SIP_DATA_ROOTS='[\"/data\"]'"
    return message
