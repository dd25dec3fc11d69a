"""The `curl` line of a request, so that every step can be repeated without us."""

import json
import shlex
from collections.abc import Mapping
from typing import Any


def curl(
    url: str,
    *,
    body: Mapping[str, Any] | None = None,
    form: Mapping[str, str] | None = None,
    method: str | None = None,
) -> str:
    """A `curl` command for a POSIX shell.

    Args:
        url: the whole address, query included.
        body: sent as JSON.
        form: multipart fields; a value that starts with ``@`` names a file.
        method: where curl's own choice (POST with a body, else GET) isn't the right one.
    """
    words = ["curl", "-s"]
    if method is not None:
        words += ["-X", method]
    words.append(url)
    if body is not None:
        words += ["-H", "Content-Type: application/json", "-d", json.dumps(body, ensure_ascii=False)]
    for name, value in (form or {}).items():
        words += ["-F", f"{name}={value}"]
    return shlex.join(words)
