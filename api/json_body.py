"""JSON bodies read strictly: what the database or a JSON answer couldn't hold never gets in."""

from collections.abc import Callable, Coroutine, Iterable

import orjson
from fastapi import Request, Response
from fastapi.routing import APIRoute

from api.errors import MalformedRequestError, UnsupportedMediaTypeError, invalid

MAX_KEYS = 100

JSON = None | bool | int | float | str | list["JSON"] | dict[str, "JSON"]


def parse_json(body: bytes, max_depth: int) -> JSON:
    """Decode UTF-8 JSON; NaN, Infinity, unpaired surrogates and over 1024 levels are refused.

    Args:
        body: what was sent.
        max_depth: levels of arrays and objects it may have.

    Raises:
        MalformedRequestError: with the place of the first fault.
        InvalidRequestError: too many levels, or an object of more fields than any request has.
    """
    try:
        parsed: JSON = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        # msg says what was wrong ("depth limit exceeded"), never what was sent.
        raise MalformedRequestError(
            f"The body is not JSON: {error.msg} (line {error.lineno}, column {error.colno})."
        ) from None
    if isinstance(parsed, dict) and len(parsed) > MAX_KEYS:
        # each unknown key would become an error of its own
        raise invalid(("body",), f"at most {MAX_KEYS} fields", str(len(parsed)))
    _check_depth(parsed, max_depth)
    return parsed


def _check_depth(parsed: JSON, max_depth: int) -> None:
    level = [parsed] if isinstance(parsed, list | dict) else []
    for _ in range(max_depth):
        level = [inner for outer in level for inner in _inner(outer) if isinstance(inner, list | dict)]
        if not level:
            return
    raise invalid(("body",), f"at most {max_depth} levels of arrays and objects", "more")


def _inner(outer: JSON) -> Iterable[JSON]:
    return outer.values() if isinstance(outer, dict) else outer if isinstance(outer, list) else ()


def is_json(content_type: str) -> bool:
    """Whether the media type is application/json or ends in +json."""
    media_type = content_type.partition(";")[0].strip().lower()
    return media_type == "application/json" or (
        media_type.startswith("application/") and media_type.endswith("+json")
    )


class StrictJsonRequest(Request):
    """A request whose ``json()`` is strict."""

    async def json(self) -> JSON:
        return parse_json(await self.body(), self.app.state.services.settings.max_json_depth)


class StrictJsonRoute(APIRoute):
    """A route that reads its JSON body strictly and refuses other content types with 415."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[None, None, Response]]:
        """FastAPI's handler behind the two checks."""
        handler = super().get_route_handler()

        async def handle(request: Request) -> Response:
            if self.body_field is not None and not is_json(request.headers.get("content-type", "")):
                raise UnsupportedMediaTypeError(
                    "Content-Type: expected application/json; found another or none. "
                    "With curl: -H 'Content-Type: application/json'."
                )
            return await handler(StrictJsonRequest(request.scope, request.receive))

        return handle
