"""The corpus' own split: what its values mean."""

from collections.abc import Sequence

import numpy as np

from sip_model.corpora.split import CALIBRATION, PARTS, TEST, TRAIN, VALIDATION, PartArray
from sip_model.errors import CorpusError

_NAMES = {
    "train": TRAIN,
    "training": TRAIN,
    "validation": VALIDATION,
    "valid": VALIDATION,
    "val": VALIDATION,
    "dev": VALIDATION,
    "calibration": CALIBRATION,
    "cal": CALIBRATION,
    "test": TEST,
}


def given_parts(splits: Sequence[str | None], documents: Sequence[str]) -> PartArray:
    """The part of each of n chunks, (n,): an index into `PARTS`.

    Args:
        splits: (n,) the field `split` of each chunk's document.
        documents: (n,) the documents' ids, for messages.

    Raises:
        CorpusError: a document without split, or with one that names no part.
    """
    parts = np.empty(len(splits), np.uint8)
    for number, (split, document) in enumerate(zip(splits, documents, strict=True)):
        part = _NAMES.get((split or "").lower())
        if part is None:
            found = f"{split!r}" if split else "none"
            hint = "Split by `block`, or complete the field in the corpus"
            raise CorpusError((f"document {document}", "split"), f"one of {', '.join(PARTS)}", found, hint)
        parts[number] = part
    return parts
