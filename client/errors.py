"""What can go wrong between a caller and the service."""

from dataclasses import dataclass
from typing import Any, Self

Location = tuple[str | int, ...]


class ClientError(Exception):
    """Base of everything the client raises about the service."""


class ConnectionFailedError(ClientError):
    """The service couldn't be reached, or the connection broke before its answer was complete.

    Args:
        url: base URL of the service.
        reason: what the network said, one line.
        connected: whether there was a connection; False: nothing listens there, or no way leads to it.
    """

    def __init__(self, url: str, reason: str, *, connected: bool = True) -> None:
        self.url = url
        self.reason = reason
        self.connected = connected
        super().__init__(f"no answer from {url}: {reason}")

    def __reduce__(self) -> tuple[type[Self], tuple[str, str], dict[str, bool]]:
        return type(self), (self.url, self.reason), {"connected": self.connected}


class UnexpectedAnswerError(ClientError):
    """Something answered, but not in the service's way: a proxy's page, another program on that port."""


@dataclass(frozen=True, slots=True)
class FieldError:
    """One field of a request that the service refused."""

    loc: Location
    """Path to the field, for example ``("body", "config", "backbone", "layers")``."""
    msg: str
    """What was expected and what was found."""
    type: str
    """Machine-readable kind of the error."""

    @property
    def field(self) -> str:
        """`loc` as one dotted name."""
        return ".".join(str(part) for part in self.loc)


@dataclass(slots=True)
class ApiError(ClientError):
    """The service answered with an error (`application/problem+json`, RFC 9457).

    Its text holds title, detail and, one per line, the fields that were refused.
    """

    status: int
    """HTTP status code, 400 to 599."""
    title: str
    detail: str
    type: str = "about:blank"
    """Path of the page that explains this kind of problem."""
    request_id: str | None = None
    """What to look for in the service's log."""
    errors: tuple[FieldError, ...] = ()
    retry_after_seconds: float | None = None
    """When to try again, where the service says so (429, 503)."""

    @classmethod
    def from_problem(
        cls,
        status: int,
        reason: str,
        problem: dict[str, Any],
        request_id: str | None,
        retry_after_seconds: float | None,
    ) -> Self:
        """Read a problem document; members it lacks get their RFC 9457 defaults.

        Args:
            status: of the HTTP answer; it wins over the document's own.
            reason: the HTTP reason phrase, the title where the document has none.
            problem: the decoded document, possibly empty.
            request_id: from the answer's `X-Request-ID`.
            retry_after_seconds: from the answer's `Retry-After`.
        """
        errors = problem.get("errors")
        return cls(
            status=status,
            title=str(problem.get("title") or reason or "Error"),
            detail=str(problem.get("detail") or ""),
            type=str(problem.get("type") or "about:blank"),
            request_id=request_id or problem.get("instance"),
            errors=tuple(
                FieldError(tuple(error.get("loc", ())), str(error.get("msg", "")), str(error.get("type", "")))
                for error in (errors if isinstance(errors, list) else [])
                if isinstance(error, dict)
            ),
            retry_after_seconds=retry_after_seconds,
        )

    def __str__(self) -> str:
        heading = f"{self.status} {self.title}" + (f": {self.detail}" if self.detail else "")
        return "\n".join([heading, *(f"  {error.field}: {error.msg}" for error in self.errors)])
