"""The whole HTTP API under requests made up from its own document, with a key and without one."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.cli.service import running_service

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
OPTIONS = (
    "--checks", CHECKS, "--request-timeout", "45", "--no-color", "--continue-on-failure",
    "--phases", "examples,coverage,fuzzing,stateful", "--exclude-path-regex", "/events$",
)  # fmt: skip


def fuzz_api(folder: Path, max_examples: int) -> bool:
    """Whether no request of either kind was answered otherwise than the document says.

    Args:
        folder: of the service's data, made by it.
        max_examples: made-up requests per operation, with a key and as many without.
    """
    os.environ["SIP_REQUIRE_KEYS"] = "true"
    with running_service(folder) as service:
        key = subprocess.run(
            [sys.executable, "-P", "-m", "cli.main", "keys", "create", "fuzz", "--scopes", "admin",
             "--requests-per-minute", "0", "--texts-per-day", "0", "--data-dir", str(folder)],
            capture_output=True, text=True, check=True,
        ).stdout.strip()  # fmt: skip
        with_key = _run(service.url, max_examples, ("--header", f"Authorization: Bearer {key}"))
        without = _run(service.url, max_examples, ())
    return with_key and without


def _run(url: str, max_examples: int, more: Sequence[str]) -> bool:
    command = [sys.executable, "-m", "schemathesis.cli", "run", f"{url}/openapi.json", *OPTIONS, *more]
    return subprocess.run([*command, "--max-examples", str(max_examples)], check=False).returncode == 0
