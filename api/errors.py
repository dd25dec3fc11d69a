"""What the service answers when it can't do what was asked: one class per problem type (RFC 9457)."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ClassVar

from starlette.exceptions import HTTPException

from sip_model.errors import InvalidInputError, Location

LONGEST_LOC_PART = 100


@dataclass(frozen=True, slots=True)
class FieldError:
    """One field that can't be used: where it stands, what was expected and found, and a short type name."""

    loc: Location
    msg: str
    type: str

    def as_json(self) -> dict[str, object]:
        """The JSON form; names a caller chose are cut and cleaned so that they can always be sent back."""
        return {"loc": [_printable(part) for part in self.loc], "msg": self.msg, "type": self.type}


class ApiError(HTTPException):
    """Base of every error answer. Subclasses carry status, title and problem type.

    It is Starlette's ``HTTPException``, so that an error raised while the body is still arriving
    passes through the framework's own body parsing unchanged.

    Args:
        detail: what happened and what to do, for this request.
        errors: the fields concerned, for validation errors.
        headers: further response headers, for example ``Retry-After``.
    """

    status: ClassVar[int] = 500
    title: ClassVar[str] = "Internal error"
    slug: ClassVar[str] = "internal-error"
    about: ClassVar[str] = "The service failed in a way it did not foresee. Its log has the request id."

    def __init__(
        self, detail: str, errors: Sequence[FieldError] = (), headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(status_code=self.status, detail=detail, headers=dict(headers) if headers else None)
        self.errors = tuple(errors)


class InternalError(ApiError):
    """A failure of ours."""


class MalformedRequestError(ApiError):
    """The request can't be read at all: no HTTP, not JSON, not UTF-8, a broken multipart body."""

    status = 400
    title = "Malformed request"
    slug = "malformed-request"
    about = (
        "The request could not be read: it is not HTTP/1.1, or its body is not what it says. JSON must be "
        "UTF-8, without NaN, Infinity or unpaired surrogates; an upload must be a complete "
        "multipart/form-data body."
    )


class UnauthorizedError(ApiError):
    """No key came with the request, or none that is live."""

    status = 401
    title = "Unauthorized"
    slug = "unauthorized"
    about = (
        "This needs a key that is neither revoked nor expired: `Authorization: Bearer sip_…`. "
        "`sip keys create` makes one on the service's machine."
    )


class ForbiddenError(ApiError):
    """The key's scope doesn't reach, or the request names a host this service doesn't answer to."""

    status = 403
    title = "Forbidden"
    slug = "forbidden"
    about = (
        "The key lacks the scope this needs: read to look, classify and embed; write to add and delete "
        "datasets and experiments; admin to choose the default model and delete models. Or, "
        "without keys: a service on loopback answers only requests whose Host (and Origin, where a browser "
        "sends one) is this machine, so that web pages can't reach it behind your back."
    )


class NoSuchResourceError(ApiError):
    """Nothing is there under this path, id or name."""

    status = 404
    title = "Not found"
    slug = "not-found"
    about = (
        "There is nothing under this path, id or name. It may have been deleted, or belong to the holder of "
        "another key."
    )


class MethodNotAllowedError(ApiError):
    """The path exists, the method doesn't."""

    status = 405
    title = "Method not allowed"
    slug = "method-not-allowed"
    about = "The path exists but doesn't take this method. The Allow header lists those it takes."


class StateConflictError(ApiError):
    """The request is fine but clashes with the present state."""

    status = 409
    title = "Conflict"
    slug = "conflict"
    about = "The resource is in a state that doesn't allow this: in use, already final, or the name is taken."


class RequestInFlightError(ApiError):
    """The first request with this idempotency key isn't through yet."""

    status = 409
    title = "Request in flight"
    slug = "request-in-flight"
    about = (
        "An earlier request with the same Idempotency-Key is still being worked on. Send this one again "
        "after the seconds in Retry-After; its answer will be what the first has made."
    )


class BodyTooLargeError(ApiError):
    """The body is longer than the service takes."""

    status = 413
    title = "Body too large"
    slug = "body-too-large"
    about = "The body is longer than the service takes. Send fewer texts per request, or a compressed corpus."


class BodyTooSlowError(ApiError):
    """The body comes too slowly to be waited for."""

    status = 408
    title = "Body too slow"
    slug = "body-too-slow"
    about = "The body came too slowly, or stopped coming. Send it again."


class HeadTooLargeError(ApiError):
    """The first line and the headers are longer than the service reads."""

    status = 431
    title = "Request head too large"
    slug = "head-too-large"
    about = "The path with its query, and the headers, are longer than 64 KiB. Ask for less at a time."


class UnsupportedMediaTypeError(ApiError):
    """The Content-Type isn't one this path reads."""

    status = 415
    title = "Unsupported media type"
    slug = "unsupported-media-type"
    about = "The Content-Type is not one this path reads; the detail names those it does."


class InvalidRequestError(ApiError):
    """The body was read, but a field can't be used. Every `errors` entry names one."""

    status = 422
    title = "Invalid request"
    slug = "invalid-request"
    about = (
        "A field can't be used. Each entry of `errors` names it (`loc`) and says what was expected and "
        "found. Nothing was kept."
    )

    @classmethod
    def of(cls, errors: Sequence[FieldError]) -> "InvalidRequestError":
        """The answer for `errors` (at least one); its detail spells out the first."""
        first = errors[0]
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        return cls(f"{'.'.join(str(_printable(part)) for part in first.loc)}: {first.msg}{more}", errors)


class OverloadedError(ApiError):
    """Too many requests are waiting already."""

    status = 429
    title = "Overloaded"
    slug = "overloaded"
    about = "Too many requests are waiting already. Try again after the seconds in Retry-After."


class TooManyRequestsError(ApiError):
    """The key asks for more than it may."""

    status = 429
    title = "Too many requests"
    slug = "too-many-requests"
    about = (
        "The key has asked for as many requests or texts as it may for now. Try again after the seconds in "
        "Retry-After."
    )


class UnavailableError(ApiError):
    """A part that this request needs is down."""

    status = 503
    title = "Unavailable"
    slug = "unavailable"
    about = "A part this request needs is down. Try again after the seconds in Retry-After."


PROBLEMS: dict[str, type[ApiError]] = {
    problem.slug: problem
    for problem in (
        MalformedRequestError,
        UnauthorizedError,
        ForbiddenError,
        NoSuchResourceError,
        MethodNotAllowedError,
        StateConflictError,
        RequestInFlightError,
        BodyTooLargeError,
        BodyTooSlowError,
        HeadTooLargeError,
        UnsupportedMediaTypeError,
        InvalidRequestError,
        OverloadedError,
        TooManyRequestsError,
        InternalError,
        UnavailableError,
    )
}


def invalid(loc: Location, expected: str, found: str, hint: str = "") -> InvalidRequestError:
    """A 422 for one field. `found` describes the value and never repeats a caller's text."""
    return InvalidRequestError.of([field_error(loc, InvalidInputError((), expected, found, hint))])


def field_error(loc: Location, error: InvalidInputError) -> FieldError:
    """The entry of `errors` for a library error, with `loc` in front of the error's own place."""
    message = f"expected {error.expected}; found {error.found}" + (f". {error.hint}" if error.hint else "")
    # the library calls an upload `file`, and so does the request
    inner = error.loc[1:] if loc and error.loc[:1] == loc[-1:] else error.loc
    return FieldError((*loc, *inner), message, _type_name(error))


@contextmanager
def located(*prefix: str | int) -> Iterator[None]:
    """Turn the library's ``InvalidInputError`` raised inside into a 422 whose loc starts with `prefix`."""
    try:
        yield
    except InvalidInputError as error:
        raise InvalidRequestError.of([field_error(prefix, error)]) from error


def _type_name(error: InvalidInputError) -> str:
    name = type(error).__name__.removesuffix("Error")
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")


def _printable(part: str | int) -> str | int:
    if isinstance(part, int):
        return part
    shown = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in part[:LONGEST_LOC_PART])
    return shown + ("…" if len(part) > LONGEST_LOC_PART else "")
