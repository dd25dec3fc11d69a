"""How large a backbone is, read off the headers of its weight files alone. Imports no torch."""

import math
from pathlib import Path

from safetensors import SafetensorError, safe_open

from sip_model.errors import BackboneError

TABLES = ("embed", "wte", "wpe", "lm_head")
"""Parts of the names of embedding and output tables, which the size of a model leaves out."""


def is_table(name: str) -> bool:
    """Whether a parameter of this name belongs to the embeddings or the output."""
    return any(part in name for part in TABLES)


def num_inner_parameters(folder: Path) -> int:
    """Parameters besides those of embeddings and output.

    Args:
        folder: a model folder with its `*.safetensors`.

    Raises:
        BackboneError: a file is no safetensors file.
    """
    total = 0
    for path in sorted(folder.glob("*.safetensors")):
        try:
            with safe_open(path, framework="numpy") as file:
                names = [name for name in file.keys() if not is_table(name)]  # noqa: SIM118 - no mapping
                total += sum(math.prod(file.get_slice(name).get_shape()) for name in names)
        except SafetensorError as error:
            raise BackboneError(("backbone", "id"), "safetensors files", f"{path.name}: {error}") from error
    return total
