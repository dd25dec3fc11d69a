"""Answers written as JSON straight from arrays and dictionaries.

They are not built as the models of `api.schemas`, which only describe them: a thousand vectors as lists of
Python numbers take longer to write than to read off a small backbone.
"""

from collections.abc import Mapping

import orjson
from starlette.responses import Response


def json_answer(body: Mapping[str, object]) -> Response:
    """A response of 200 with this body.

    Args:
        body: of what JSON has, and of contiguous NumPy arrays; numbers that are not finite become null.
    """
    return Response(orjson.dumps(body, option=orjson.OPT_SERIALIZE_NUMPY), media_type="application/json")
