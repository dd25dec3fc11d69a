"""The arithmetic of the forward pass, chosen without loading a backbone."""

from typing import Literal

import torch

DtypeChoice = Literal["auto", "float32", "bfloat16"]
DtypeName = Literal["float32", "bfloat16"]


def resolve_device(device: str) -> str:
    """`auto` becomes `cuda` where there is a GPU, else `cpu`; anything else stays as it is."""
    if device != "auto":
        return device
    return "cuda" if torch.cuda.is_available() else "cpu"


def resolve_dtype(dtype: DtypeChoice, device: str = "auto") -> DtypeName:
    """The dtype that a choice of dtype means on a device.

    Args:
        dtype: `float32`, `bfloat16`, or `auto`: bfloat16 where the CPU or GPU computes in it, else float32.
        device: a torch device, or `auto`.
    """
    if dtype != "auto":
        return dtype
    if torch.device(resolve_device(device)).type == "cuda":
        return "bfloat16" if torch.cuda.is_bf16_supported(including_emulation=False) else "float32"
    capabilities = torch.cpu.get_capabilities()
    has_bfloat16 = capabilities.get("avx512_bf16") or capabilities.get("amx_bf16")
    return "bfloat16" if has_bfloat16 else "float32"
