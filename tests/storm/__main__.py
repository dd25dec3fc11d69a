"""``make storm``: many short jobs while workers, servers and calls come to harm; then everything is counted.

Nothing outside a folder of its own is touched. It exits with 1, and keeps that folder, when a promise broke.
"""

import argparse
import logging
import sys
import tempfile
import time
from pathlib import Path

from tests.storm.storm import Storm, StormOptions


def main() -> int:
    """Run a storm and print what came of it; returns the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--jobs", type=int, default=200)
    parser.add_argument("--workers", type=int, default=4)
    arguments = parser.parse_args()
    options = StormOptions(**vars(arguments))
    # that a call isn't heard while Redis is away is what is meant to happen
    logging.getLogger("db.publisher").setLevel(logging.ERROR)
    # the paths of sockets are short
    folder = Path(tempfile.mkdtemp(prefix="sip-storm-", dir="/tmp"))
    print(f"storm: {options}, in {folder}", flush=True)
    return Storm(options, folder).run()


if __name__ == "__main__":
    sys.exit(main())
