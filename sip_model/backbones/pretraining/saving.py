"""A trained language model as a Hugging Face folder."""

import shutil
from pathlib import Path

from transformers import PreTrainedModel, PreTrainedTokenizerFast

from sip_model.backbones.load import quiet

TOKENIZER_FILES = (
    "tokenizer*.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.*",
    "merges.txt",
)


def save_backbone(model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast | Path, folder: Path) -> None:
    """Write config.json, model.safetensors, tokenizer.json and tokenizer_config.json.

    Args:
        model: with its head, so that it can be asked for next tokens and trained further.
        tokenizer: a new one, or the folder of the backbone that training went on from.
        folder: made if it isn't there.
    """
    with quiet():
        model.save_pretrained(folder)
    if isinstance(tokenizer, Path):
        for path in sorted(path for pattern in TOKENIZER_FILES for path in tokenizer.glob(pattern)):
            shutil.copyfile(path, folder / path.name)
    else:
        tokenizer.save_pretrained(folder)
