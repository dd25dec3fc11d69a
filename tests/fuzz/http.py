"""The whole HTTP API under requests made up from its own document, with a key and without one."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from tests.cli.service import running_service
from tests.fuzz.known import configuration, make_known

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
OPTIONS = (
    "--checks", CHECKS, "--request-timeout", "45", "--no-color", "--continue-on-failure",
    "--phases", "examples,coverage,fuzzing,stateful", "--warnings", "off", "--generation-database", "none",
    "--workers", "4",
)  # fmt: skip
EXAMPLES = 100
"""Made-up requests per operation and round; the phases that aren't random add theirs."""
WAITING = (
    "--include-path", "/metrics", "--include-path", "/experiments/{experiment}/events",
    "--include-method", "GET",
)  # fmt: skip
"""What may wait half a minute for an answer, or go on until an experiment is final."""
SETTINGS = {
    "SIP_REQUIRE_KEYS": "true",
    "SIP_LOG_LEVEL": "warning",
    "SIP_DEVICE": "cpu",
    "SIP_MAX_JOB_SECONDS": "600",
}
_GENERATED = re.compile(r"([\d,]+) generated")


class Outcome(NamedTuple):
    """Of made-up requests."""

    is_clean: bool
    """Whether none was answered otherwise than the document says."""
    num_cases: int


def fuzz_api(folder: Path, num_cases: int) -> bool:
    """Whether no request was answered otherwise than the document says; prints how many were sent.

    Args:
        folder: for the service's data and what is made for it.
        num_cases: made-up requests at least: rounds are added until there are as many.
    """
    os.environ |= SETTINGS
    key = _new_key(folder / "data")
    with running_service(folder / "data") as service:
        found = make_known(service.url, key, folder)
        known, may_wait = folder / "known.toml", folder / "may_wait.toml"
        known.write_text(configuration(found, may_wait=False), encoding="utf-8")
        may_wait.write_text(configuration(found, may_wait=True), encoding="utf-8")
        header = ("--header", f"Authorization: Bearer {key}")
        counts = {"with a key": 0, "without a key": 0, "that may wait": 0}
        is_clean = True
        while is_clean and sum(counts.values()) < num_cases:
            for name, outcome in {
                "with a key": _run(service.url, folder, known, EXAMPLES, *header),
                "without a key": _run(service.url, folder, known, EXAMPLES // 4),
            }.items():
                counts[name] += outcome.num_cases
                is_clean &= outcome.is_clean
            print(f"requests: {counts}", flush=True)
        waiting = _run(service.url, folder, may_wait, EXAMPLES // 10, *header, *WAITING)
        counts["that may wait"] += waiting.num_cases
        lines = list(service.lines)
    is_clean &= waiting.is_clean
    print(
        f"{sum(counts.values())} requests: {counts}; {'no' if is_clean else 'SOME'} wrong answers", flush=True
    )
    if not is_clean:
        print("\n".join(lines[-200:]))
    return is_clean


def _new_key(data_dir: Path) -> str:
    command = (
        sys.executable, "-P", "-m", "cli.main", "keys", "create", "fuzz", "--scopes", "admin",
        "--requests-per-minute", "0", "--texts-per-day", "0", "--data-dir", str(data_dir),
    )  # fmt: skip
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def _run(url: str, folder: Path, config: Path, max_examples: int, *more: str) -> Outcome:
    """One run, which keeps files in `folder`; what it has to say is printed where it found something."""
    command = [
        sys.executable, "-m", "schemathesis.cli", "--config-file", str(config),
        "run", f"{url}/openapi.json", *OPTIONS, "--max-examples", str(max_examples), *more,
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    found = _GENERATED.search(done.stdout)
    if done.returncode != 0 or found is None:
        print(done.stdout, done.stderr, flush=True)
    return Outcome(done.returncode == 0, int(found[1].replace(",", "")) if found else 0)
