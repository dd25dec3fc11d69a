"""JSON bodies read strictly: what the database or a JSON answer couldn't hold never gets in."""

from collections.abc import Callable, Coroutine

import orjson
from fastapi import Request, Response
from fastapi.routing import APIRoute

from api.errors import MalformedRequestError, UnsupportedMediaTypeError, invalid

MAX_KEYS = 100

JSON = None | bool | int | float | str | list["JSON"] | dict[str, "JSON"]


def parse_json(body: bytes) -> JSON:
    """Decode UTF-8 JSON; NaN, Infinity, unpaired surrogates and over 1024 levels are refused.

    Raises:
        MalformedRequestError: with the place of the first fault.
        InvalidRequestError: an object of more fields than any request has.
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
    return parsed


def is_json(content_type: str) -> bool:
    """Whether the media type is application/json or ends in +json."""
    media_type = content_type.partition(";")[0].strip().lower()
    return media_type == "application/json" or (
        media_type.startswith("application/") and media_type.endswith("+json")
    )


class StrictJsonRequest(Request):
    """A request whose ``json()`` is strict."""

    async def json(self) -> JSON:
        return parse_json(await self.body())


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
