"""The block `honesty`: what else an identifier's scores are held against."""

from dataclasses import dataclass
from typing import ClassVar

from sip_model.experiments.config import BLOCK


@dataclass(frozen=True, slots=True, kw_only=True)
class HonestyConfig:
    """Checks that cost time and are made only where asked for."""

    __pydantic_config__: ClassVar[dict[str, str | bool]] = BLOCK

    leak_rate: bool = False
    """Report `data/leak_rate`: the share of test chunks with a near-duplicate, or the chunk next to them in
    their document, in the training part."""
    entity_masked: bool = False
    """Report `eval/entity_masked_accuracy` and `baseline/lexical_entity_masked_accuracy`: on the test part
    with names and numbers replaced, by the identifier and baseline trained on the texts as they are."""
