"""Weight files are looked at before anything of them is loaded: whoever made them may have meant harm.

The format is that of https://github.com/huggingface/safetensors: eight bytes of length, a JSON header that
says what each tensor is and where it lies, then the tensors without a gap. Imports no torch.
"""

import json
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, NoReturn, cast

from sip_model.backbones.info import BackboneInfo
from sip_model.errors import BackboneError

MAX_HEADER_BYTES = 32 * 2**20
"""The largest known models have headers of 2 MiB."""
MAX_TENSORS = 200_000
MAX_POSITIONS = 2**22
"""Positions a model may have; some make tables of them that no file holds."""
_BITS = {
    "F64": 64, "I64": 64, "U64": 64, "F32": 32, "I32": 32, "U32": 32, "F16": 16, "BF16": 16, "I16": 16,
    "U16": 16, "I8": 8, "U8": 8, "BOOL": 8, "F8_E4M3": 8, "F8_E5M2": 8,
}  # fmt: skip
_PICKLE = re.compile(rb"\x80[\x02-\x05]|PK\x03\x04|PK\x05\x06", re.DOTALL)
"""How pickles begin, bare or in the zip that torch makes around them."""
_BLOCK = re.compile(r"(?:^|\.)(?:layers?|h)\.(\d+)\.")
_WIDTHS = (
    "vocab_size",
    "hidden_size",
    "n_embd",
    "dim",
    "intermediate_size",
    "ffn_dim",
    "n_inner",
    "hidden_dim",
)
"""Fields of a config.json that are a dimension of some tensor, where they are numbers."""
_POSITIONS = ("max_position_embeddings", "n_positions")


class Tensor(NamedTuple):
    """What a header says of a tensor."""

    name: str
    shape: tuple[int, ...]
    begin: int
    end: int
    """Bytes from the end of the header."""


def check_weights(folder: Path, info: BackboneInfo) -> None:
    """Refuse weight files that aren't what they say, or have less in them than config.json makes of them.

    Args:
        folder: config.json and \\*.safetensors.
        info: what config.json says, for messages.

    Raises:
        BackboneError: a pickle or a damaged header, whatever the file is called; sizes that don't fit.
    """
    tensors = [tensor for path in sorted(folder.glob("*.safetensors")) for tensor in read_header(path)]
    config = cast(Mapping[str, object], json.loads((folder / "config.json").read_bytes()))
    dimensions = {size for tensor in tensors for size in tensor.shape}
    for field in _WIDTHS:
        size = config.get(field)
        if isinstance(size, int) and size not in dimensions:
            _refuse(info, f"a tensor of {field} {size}", "none")
    for field in _POSITIONS:
        size = config.get(field)
        if isinstance(size, int) and size > MAX_POSITIONS:
            _refuse(info, f"{field} of at most {MAX_POSITIONS}", f"{size}")
    blocks = [int(found.group(1)[:9]) for tensor in tensors if (found := _BLOCK.search(tensor.name))]
    if info.family != "albert" and info.num_layers > 1 + max(blocks, default=-1):
        _refuse(info, f"tensors of {info.num_layers} layers", f"{1 + max(blocks, default=-1)}")


def read_header(path: Path) -> list[Tensor]:
    """The tensors of a safetensors file, none of which is read.

    Raises:
        BackboneError: it is none, or its header isn't true; ``loc`` is ``("backbone", "id")``.
    """
    num_bytes = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(8)
        if _PICKLE.match(start):
            raise _damaged(path, "a pickle, which is never read")
        length = int.from_bytes(start, "little")
        if len(start) < 8 or not 2 <= length <= min(MAX_HEADER_BYTES, num_bytes - 8):
            raise _damaged(path, "a header that is cut short or too long")
        header = file.read(length)
    try:
        fields = json.loads(header, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        raise _damaged(path, "a header that is no JSON, or names something twice") from None
    if not isinstance(fields, dict) or len(fields) > MAX_TENSORS:
        raise _damaged(path, "a header that is no object, or one of too many tensors")
    tensors = [_tensor(path, name, entry) for name, entry in fields.items() if name != "__metadata__"]
    _check_places(path, tensors, num_bytes - 8 - length)
    return tensors


def _tensor(path: Path, name: str, entry: object) -> Tensor:
    match entry:
        case {"dtype": str(dtype), "shape": list(shape), "data_offsets": [int(begin), int(end)]}:
            sizes = tuple(size for size in shape if isinstance(size, int) and 0 <= size < 2**48)
            is_whole = len(sizes) == len(shape) <= 16 and dtype in _BITS
            if is_whole and 8 * (end - begin) == math.prod(sizes) * _BITS[dtype]:
                return Tensor(name, sizes, begin, end)
    raise _damaged(path, "a tensor whose type, shape and place don't fit each other")


def _check_places(path: Path, tensors: Sequence[Tensor], num_bytes: int) -> None:
    """Every byte belongs to one tensor."""
    place = 0
    for tensor in sorted(tensors, key=lambda tensor: (tensor.begin, tensor.end)):
        if tensor.begin != place:
            raise _damaged(path, "tensors that lie in each other, or apart")
        place = tensor.end
    if place != num_bytes:
        raise _damaged(path, "less or more than its tensors")


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError
    return found


def _damaged(path: Path, found: str) -> BackboneError:
    return BackboneError(("backbone", "id"), f"a safetensors file in {path.name}", found)


def _refuse(info: BackboneInfo, expected: str, found: str) -> NoReturn:
    expected = f"weights of {info.id!r} that fit its config.json, with {expected}"
    raise BackboneError(("backbone", "id"), expected, found)
