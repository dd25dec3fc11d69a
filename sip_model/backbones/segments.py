"""The files of the feature cache: immutable segments of vectors, found by key.

A segment is a pair of NumPy files: the vectors, and one (key, checksum of the vector) per row. Each is
written under a temporary name, synced and renamed, the keys last: a segment exists once its keys do. So
writers in any number of processes never meet, and a reader never sees half a segment.
"""

import logging
import uuid
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from sip_model.kept import write_array

logger = logging.getLogger(__name__)

FloatArray = npt.NDArray[np.float32]
KeyArray = npt.NDArray[np.bytes_]

KEY_BYTES = 16
_ROW = np.dtype([("key", f"S{KEY_BYTES}"), ("crc32", "<u4")])
KEYS_SUFFIX = ".keys.npy"
VECTORS_SUFFIX = ".vectors.npy"


def write_segment(folder: Path, keys: Sequence[bytes], vectors: FloatArray) -> None:
    """Add vectors to a folder of segments.

    Args:
        folder: made if it isn't there.
        keys: m distinct keys of `KEY_BYTES` bytes.
        vectors: (m, D) float32.

    Raises:
        OSError: the disk is full or not writable; nothing half-written is left.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rows = np.empty(len(keys), dtype=_ROW)
    rows["key"] = keys
    rows["crc32"] = [zlib.crc32(vector) for vector in np.ascontiguousarray(vectors)]
    name = uuid.uuid4().hex
    write_array(folder / (name + VECTORS_SUFFIX), vectors)
    write_array(folder / (name + KEYS_SUFFIX), rows)


def read_vectors(folder: Path, keys: KeyArray, out: FloatArray) -> npt.NDArray[np.bool_]:
    """Copy the vectors of `keys` into `out`.

    Args:
        folder: of segments; it needn't be there.
        keys: n keys.
        out: (n, D) float32; rows of keys that aren't found are left as they are.

    Returns:
        Which keys were found undamaged, (n,). Damage is logged, the rows concerned count as not found.
    """
    found = np.zeros(len(keys), dtype=np.bool_)
    for segment in sorted(folder.glob("*" + KEYS_SUFFIX)):
        missing = np.flatnonzero(~found)
        if len(missing) == 0:
            break
        opened = _open(segment, out.shape[1])
        if opened is None:
            logger.warning("feature cache: segment %s is damaged; its texts are computed again", segment)
            continue
        rows, vectors = opened
        order = np.argsort(rows["key"])
        places = np.searchsorted(rows["key"], keys[missing], sorter=order)
        places = order[np.minimum(places, len(order) - 1)]  # (m,) the only row that can hold each key
        hits = np.flatnonzero(rows["key"][places] == keys[missing])
        num_damaged = 0
        for place, row in zip(places[hits], missing[hits], strict=True):
            vector = vectors[place]
            if zlib.crc32(vector) == rows["crc32"][place]:
                out[row] = vector
                found[row] = True
            else:
                num_damaged += 1
        if num_damaged:
            logger.warning(
                "feature cache: %d vectors of segment %s are damaged; their texts are computed again",
                num_damaged,
                segment,
            )
    return found


def _open(segment: Path, dimension: int) -> tuple[npt.NDArray[np.void], FloatArray] | None:
    """The rows and the memory-mapped vectors of a segment; None if they are not what was written."""
    try:
        rows = np.load(segment, allow_pickle=False)
        vectors = np.load(
            segment.with_name(segment.name.removesuffix(KEYS_SUFFIX) + VECTORS_SUFFIX),
            mmap_mode="r",
            allow_pickle=False,
        )
    except (OSError, ValueError, EOFError) as error:
        logger.debug("feature cache: %s: %s", segment, error)
        return None
    is_whole = (
        rows.dtype == _ROW
        and rows.ndim == 1
        and len(rows) > 0
        and vectors.dtype == np.float32
        and vectors.shape == (len(rows), dimension)
    )
    return (rows, vectors) if is_whole else None
