"""One parser under made-up files until its time is over: ``python -m tests.fuzz.child NAME SECONDS FOLDER``.

It prints how many files it has read, the longest it took for one and the memory it needed. A file that makes
the parser do anything but read it or refuse it stays in FOLDER, also where it ends this process.
"""

import resource
import signal
import sys
import time
from itertools import cycle
from pathlib import Path
from typing import NamedTuple

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from db.process_limits import forbid_core_dumps, limit_memory
from sip_model.errors import InvalidInputError
from tests.fuzz.parsers import Parser, parsers
from tests.security.archives import zipped

MEMORY_BYTES = 1536 * 2**20
HANG_SECONDS = 20
FILES_AT_ONCE = 500
TOKENS = (
    b"\0", b"\xff", b"\n", b"\r\n", b'"', b"'", b",", b"{", b"}", b"[" * 50, b"NaN", b"1e999", b"\\ud800",
    b"9" * 30, b"PK\x01\x02", b"PK\x05\x06", b"\x1f\x8b", b"PAR1", b"../", b"\xef\xbb\xbf", b"\xff" * 4,
    b"\x80\x04", b"= x =\n", b"\0" * 8, b'"shape":[-1]', b'"data_offsets":[0,99]',
)  # fmt: skip
Edit = tuple[str, int, int, bytes]


class Read(NamedTuple):
    """What a parser has been through."""

    files: int
    refused: int
    longest_seconds: float


one_edit = st.tuples(
    st.sampled_from(["put", "overwrite", "cut", "double", "flip"]),
    st.integers(0, 2**16),
    st.integers(0, 64),
    st.one_of(st.sampled_from(TOKENS), st.binary(max_size=16)),
)
# Files with one or two changes get further into a parser than those with many.
edits = st.one_of(st.lists(one_edit, max_size=2), st.lists(one_edit, max_size=10))


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


def changed_inside(folder: dict[str, bytes], made: list[list[Edit]]) -> bytes:
    """A zip that is as it should be, of files with changes."""
    return zipped(
        {
            name: changed(content, some)
            for (name, content), some in zip(folder.items(), cycle(made), strict=False)
        }
    )


def files(parser: Parser) -> st.SearchStrategy[bytes]:
    """What a parser is given."""
    made = [st.builds(changed, st.sampled_from(parser.seeds), edits), st.binary(max_size=300)]
    if parser.folders:
        several = st.lists(edits, min_size=1, max_size=3)
        made.append(st.builds(changed_inside, st.sampled_from(parser.folders), several))
    return st.one_of(made)


def fuzz(parser: Parser, seconds: float, folder: Path) -> Read:
    """Read made-up files for so long."""
    path, until = folder / "input", time.monotonic() + seconds
    number = refused = 0
    longest = 0.0

    @settings(
        max_examples=FILES_AT_ONCE,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    @given(files(parser))
    def read(content: bytes) -> None:
        nonlocal number, refused, longest
        if time.monotonic() > until:
            return
        path.write_bytes(content)
        number += 1
        began = time.process_time()
        signal.alarm(HANG_SECONDS)  # its end is this process's, and the file stays
        try:
            parser.read(path)
        except InvalidInputError:
            refused += 1
        finally:
            signal.alarm(0)
        longest = max(longest, time.process_time() - began)

    while time.monotonic() < until:
        read()
    path.unlink(missing_ok=True)
    return Read(number, refused, longest)


def main() -> None:
    """Fuzz the parser that was named."""
    name, seconds, folder = sys.argv[1], float(sys.argv[2]), Path(sys.argv[3])
    forbid_core_dumps()
    limit_memory(MEMORY_BYTES)
    parser, before = parsers()[name], _peak_mebibytes()
    read = fuzz(parser, seconds, folder)
    print(
        f"{read.files} files, {read.refused} refused, {read.longest_seconds:.2f} s of computing for one at "
        f"most, {_peak_mebibytes() - before:.0f} MiB"
    )


def _peak_mebibytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
