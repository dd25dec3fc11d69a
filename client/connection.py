# Made from client/aio/connection.py by `make client`; edit that one.
"""One HTTP connection pool to the service, with its errors turned into exceptions."""

import ipaddress
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import quote
from uuid import uuid4

import httpx

from client.errors import ApiError, ClientError, ConnectionFailedError, UnexpectedAnswerError
from client.retrying import Retrying

QueryValue = str | int | float | bool | None | Sequence[str] | Sequence[int]
Files = dict[str, tuple[str, BinaryIO]]


class Connection:
    """Sends requests and reads JSON answers.

    Args:
        base_url: where the service listens, for example ``http://127.0.0.1:8000``.
        token: the key to send as ``Authorization: Bearer …``, or None.
        timeout_seconds: longest silence of the service within one answer.
        retrying: how requests are sent again; `Retrying()` unless given.
    """

    def __init__(
        self, base_url: str, token: str | None, timeout_seconds: float, retrying: Retrying | None = None
    ) -> None:
        self._retrying = retrying or Retrying()
        self._has_answered = False
        self.base_url = base_url.rstrip("/")
        self.timeout_seconds = timeout_seconds
        self._http = httpx.Client(
            base_url=self.base_url,
            headers={"Accept": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {}),
            timeout=httpx.Timeout(timeout_seconds, connect=5.0),
            # A proxy from the environment can't reach a loopback address of this machine.
            trust_env=not _is_loopback(self.base_url),
        )

    def close(self) -> None:
        """Close every pooled connection."""
        self._http.close()

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, QueryValue] | None = None,
        headers: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        form: Mapping[str, str] | None = None,
        files: Files | None = None,
        wait_seconds: float = 0.0,
        repeatable: bool | None = None,
        retrying: Retrying | None = None,
    ) -> Any:
        """Send a request, again if need be, and return its decoded JSON answer (None for an empty one).

        Args:
            query: parameters; those that are None are left out, sequences are repeated.
            body: sent as JSON. With `form` and `files` the request is multipart instead.
            wait_seconds: how much longer than usual the service may take (long polls).
            repeatable: whether sent twice it does what it does once; a GET does, unless said otherwise.
            retrying: in place of the connection's own.

        Raises:
            ApiError: the service answered 4xx or 5xx.
            ConnectionFailedError: no complete answer came.
            UnexpectedAnswerError: the answer is not JSON.
        """
        attempts = (retrying or self._retrying).begin(
            self.timeout_seconds + wait_seconds,
            repeatable=method == "GET" if repeatable is None else repeatable,
            answered=self._has_answered,
        )
        while True:
            try:
                return self._send(method, path, headers or {}, query, body, form, files, wait_seconds)
            except ClientError as error:
                pause = attempts.pause_after(error)
            time.sleep(pause)

    def make(
        self,
        path: str,
        *,
        idempotency_key: str | None,
        body: Mapping[str, Any] | None = None,
        form: Mapping[str, str] | None = None,
        files: Files | None = None,
        wait_seconds: float = 0.0,
    ) -> Any:
        """POST something to be made, again if need be: the key sees to it that it is made once.

        Args:
            idempotency_key: 1 to 255 visible ASCII characters; a new one unless given.

        The other arguments and what is raised are those of `request`.
        """
        return self.request(
            "POST",
            path,
            headers={"Idempotency-Key": idempotency_key or str(uuid4())},
            body=body,
            form=form,
            files=files,
            wait_seconds=wait_seconds,
            repeatable=True,
        )

    def _send(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        query: Mapping[str, QueryValue] | None,
        body: Mapping[str, Any] | None,
        form: Mapping[str, str] | None,
        files: Files | None,
        wait_seconds: float,
    ) -> Any:
        with self._network_errors():
            response = self._http.request(
                method,
                path,
                headers=headers,
                params=_parameters(query),
                json=body,
                data=form,
                files=files,
                timeout=httpx.Timeout(self.timeout_seconds + wait_seconds, connect=5.0),
            )
        self._has_answered = True
        _raise_for_problem(response)
        if not response.content:
            return None
        try:
            return response.json()
        except ValueError as error:
            raise UnexpectedAnswerError(
                f"{method} {response.url} answered {response.status_code} with something that is not JSON; "
                f"is this the service?"
            ) from error

    def download(self, path: str, target: Path, *, query: Mapping[str, QueryValue] | None = None) -> int:
        """Stream an answer into `target`, which appears only when it is complete; returns its bytes."""
        partial = target.with_name(f".{target.name}.{uuid4().hex[:8]}.part")
        num_bytes = 0
        try:
            with (
                self._network_errors(),
                self._http.stream(
                    "GET", path, params=_parameters(query), headers={"Accept": "*/*"}
                ) as response,
            ):
                if response.is_error:
                    response.read()
                    _raise_for_problem(response)
                with partial.open("wb") as file:
                    for block in response.iter_bytes(1 << 20):
                        num_bytes += file.write(block)
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)
        return num_bytes

    @contextmanager
    def _network_errors(self) -> Iterator[None]:
        try:
            yield
        except (httpx.TransportError, httpx.InvalidURL) as error:
            connected = not isinstance(error, httpx.ConnectError)
            reason = str(error) or type(error).__name__
            raise ConnectionFailedError(self.base_url, reason, connected=connected) from error


def path_of(*segments: str) -> str:
    """The path of a resource; a name may hold any character, also a slash."""
    return "/" + "/".join(quote(segment, safe="@") for segment in segments)


def _is_loopback(url: str) -> bool:
    host = httpx.URL(url).host
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _parameters(query: Mapping[str, QueryValue] | None) -> list[tuple[str, str | int | float | bool | None]]:
    pairs: list[tuple[str, str | int | float | bool | None]] = []
    for name, value in (query or {}).items():
        if value is None:
            continue
        if isinstance(value, str | int | float | bool):
            pairs.append((name, value))
        else:
            pairs.extend((name, item) for item in value)
    return pairs


def _raise_for_problem(response: httpx.Response) -> None:
    if not response.is_error:
        return
    try:
        problem = response.json()
    except ValueError:
        problem = {}
    retry_after = response.headers.get("Retry-After", "")
    raise ApiError.from_problem(
        status=response.status_code,
        reason=response.reason_phrase,
        problem=problem if isinstance(problem, dict) else {},
        request_id=response.headers.get("X-Request-ID"),
        retry_after_seconds=float(retry_after) if retry_after.isdigit() else None,
    )
