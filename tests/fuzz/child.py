"""One parser under made-up files until its time is over: ``python -m tests.fuzz.child NAME SECONDS FOLDER``.

It prints how many files it has read. A file that makes the parser do anything but read it or refuse it stays
in FOLDER, also where it ends this process.
"""

import signal
import sys
import time
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from db.process_limits import forbid_core_dumps, limit_memory
from sip_model.errors import InvalidInputError
from tests.fuzz.parsers import Parser, parsers

MEMORY_BYTES = 1536 * 2**20
HANG_SECONDS = 20
FILES_AT_ONCE = 500
TOKENS = (
    b"\0", b"\xff", b"\n", b"\r\n", b'"', b"'", b",", b"{", b"}", b"[" * 50, b"NaN", b"1e999", b"\\ud800",
    b"9" * 30, b"PK\x01\x02", b"PK\x05\x06", b"\x1f\x8b", b"PAR1", b"../", b"\xef\xbb\xbf", b"\xff" * 4,
    b"\x80\x04", b"= x =\n", b"\0" * 8, b'"shape":[-1]', b'"data_offsets":[0,99]',
)  # fmt: skip
Edit = tuple[str, int, int, bytes]

edits = st.lists(
    st.tuples(
        st.sampled_from(["put", "overwrite", "cut", "double", "flip"]),
        st.integers(0, 2**16),
        st.integers(0, 64),
        st.one_of(st.sampled_from(TOKENS), st.binary(max_size=16)),
    ),
    max_size=10,
)


def changed(seed: bytes, made: list[Edit]) -> bytes:
    """A file with these changes, each at a place counted from its start, around its end."""
    content = bytearray(seed)
    for kind, where, length, put in made:
        place = where % (len(content) + 1)
        end = min(len(content), place + length)
        match kind:
            case "put":
                content[place:place] = put
            case "overwrite":
                content[place : place + len(put)] = put
            case "cut":
                del content[place:end]
            case "double":
                content[end:end] = content[place:end]
            case "flip" if place < len(content):
                content[place] ^= 1 << length % 8
    return bytes(content)


def fuzz(parser: Parser, seconds: float, folder: Path) -> int:
    """Read made-up files; returns how many."""
    path, until, number = folder / "input", time.monotonic() + seconds, 0

    @settings(
        max_examples=FILES_AT_ONCE,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    @given(st.one_of(st.builds(changed, st.sampled_from(parser.seeds), edits), st.binary(max_size=300)))
    def read(content: bytes) -> None:
        nonlocal number
        if time.monotonic() > until:
            return
        path.write_bytes(content)
        number += 1
        signal.alarm(HANG_SECONDS)  # its end is this process's, and the file stays
        try:
            parser.read(path)
        except InvalidInputError:
            return
        finally:
            signal.alarm(0)

    while time.monotonic() < until:
        read()
    path.unlink(missing_ok=True)
    return number


def main() -> None:
    """Fuzz the parser that was named."""
    name, seconds, folder = sys.argv[1], float(sys.argv[2]), Path(sys.argv[3])
    forbid_core_dumps()
    limit_memory(MEMORY_BYTES)
    print(fuzz(parsers()[name], seconds, folder))


if __name__ == "__main__":
    main()
