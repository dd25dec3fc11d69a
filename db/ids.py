"""Prefixed ids whose alphabetical order is the order of creation (ULIDs in lower case)."""

import secrets
import time

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32


def new_id(prefix: str, clock: float | None = None) -> str:
    """An id such as ``exp_01k3q4v5w6x7y8z9a0b1c2d3e4``: 48 bits of milliseconds, then 80 random bits.

    Args:
        prefix: ``ds``, ``exp``, ``mdl`` or ``bb``.
        clock: seconds since the epoch; now unless given.
    """
    milliseconds = int((time.time() if clock is None else clock) * 1000) & (2**48 - 1)
    number = milliseconds << 80 | secrets.randbits(80)
    return f"{prefix}_" + "".join(_ALPHABET[number >> shift & 31] for shift in range(125, -1, -5))
