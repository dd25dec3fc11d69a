"""``make fuzz``: every parser under made-up files, then the HTTP API under made-up requests.

Exit status 0: nothing crashed, hung, took too much memory or answered otherwise than documented.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.fuzz.http import fuzz_api
from tests.fuzz.parsers import parsers

KEPT = Path("fuzz-failures")


def main() -> int:
    """Run what was asked for; returns the exit status."""
    known = [*parsers(), "api"]
    arguments = argparse.ArgumentParser(prog="make fuzz ARGS=…")
    arguments.add_argument("--seconds", type=float, default=600, help="for each parser")
    arguments.add_argument("--cases", type=int, default=20_000, help="requests to the API, at least")
    arguments.add_argument("--only", choices=known, nargs="+", default=known)
    given = arguments.parse_args()
    failed = [name for name in given.only if name != "api" and not _fuzz_parser(name, given.seconds)]
    if "api" in given.only:
        with tempfile.TemporaryDirectory() as folder:
            if not fuzz_api(Path(folder), given.cases):
                failed.append("api")
    print(f"failed: {', '.join(failed)}" if failed else "nothing crashed, hung or answered otherwise")
    return 1 if failed else 0


def _fuzz_parser(name: str, seconds: float) -> bool:
    """Whether it has read or refused all it was given; what it hasn't is kept in `KEPT`."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "tests.fuzz.child", name, str(seconds), folder]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=2 * seconds + 600, check=True
            )
        except subprocess.SubprocessError as error:
            how, said = str(error), getattr(error, "stderr", None) or ""
        else:
            print(f"{name}: {done.stdout.strip()}", flush=True)
            return True
        KEPT.mkdir(exist_ok=True)
        path = Path(folder) / "input"
        if path.exists():
            (KEPT / name).write_bytes(path.read_bytes())
    print(f"{name}: {how}; file in {KEPT / name}\n{said[-2000:]}", flush=True)
    return False


if __name__ == "__main__":
    sys.exit(main())
