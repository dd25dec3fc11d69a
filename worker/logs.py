"""Logging of the worker's processes: one line per event, on standard error."""

import logging


def set_up_logging(level: str) -> None:
    """Log to standard error from `level` (``debug`` … ``error``) on."""
    logging.basicConfig(
        level=level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s", force=True
    )
