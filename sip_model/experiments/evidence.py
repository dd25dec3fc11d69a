"""The block `evidence`: whether a model keeps the passages it has learned from."""

from dataclasses import dataclass
from typing import ClassVar

from sip_model.experiments.config import BLOCK

EVIDENCE_FILE = "evidence.safetensors"
"""Of the passages among a model's files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceConfig:
    """What a model stores to back its answers with."""

    __pydantic_config__: ClassVar[dict[str, str | bool]] = BLOCK

    keep: bool = True
    """Keep the training passages with the model, so that POST /classify can name those that back an answer;
    false: for private corpora, of whose text nothing may be kept or shown."""
