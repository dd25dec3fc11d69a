"""Exceptions that may be logged."""

from pydantic import BaseModel, ValidationError

from db.errors import StorageError
from db.tracebacks import describe_exception

SECRET = "a passage that somebody wrote"


class Number(BaseModel):
    value: int


def described(fail: object) -> str:
    try:
        assert callable(fail)
        fail()
    except BaseException as error:  # noqa: BLE001 - whatever it is, it is described
        return describe_exception(error)
    raise AssertionError("nothing was raised")


def test_our_own_words_are_kept() -> None:
    def fail() -> None:
        raise StorageError("weights.bin: expected a stored file, found none")

    text = described(fail)
    assert "db.errors.StorageError: weights.bin: expected a stored file, found none" in text
    assert "in fail" in text


def test_words_of_the_system_are_kept() -> None:
    assert "No such file or directory" in described(lambda: open("/nowhere/at/all"))  # noqa: PTH123, SIM115


def test_what_a_validator_or_a_parser_quotes_is_not() -> None:
    for fail in (
        lambda: Number.model_validate({"value": SECRET}),
        lambda: int(SECRET),
        lambda: dict[str, int]()[SECRET],
    ):
        text = described(fail)
        assert SECRET not in text
        assert "its message is withheld" in text


def test_what_led_to_an_error_comes_first_and_quotes_nothing_either() -> None:
    def fail() -> None:
        try:
            Number.model_validate({"value": SECRET})
        except ValidationError as error:
            raise StorageError("card: expected a number, found something else") from error

    text = described(fail)
    assert text.index("ValidationError") < text.index("StorageError")
    assert SECRET not in text


def test_the_parts_of_a_group_are_described_too() -> None:
    def fail() -> None:
        raise ExceptionGroup("several", [ValueError(SECRET), StorageError("no file")])

    text = described(fail)
    assert "no file" in text
    assert "ValueError" in text
    assert SECRET not in text
