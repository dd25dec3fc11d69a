"""The losses an identifier can be trained with, one per file."""

from sip_model.experiments.config import LossName
from sip_model.identifiers.losses.base import Loss
from sip_model.identifiers.losses.bce import BinaryCrossEntropy
from sip_model.identifiers.losses.binary_code import BinaryCode
from sip_model.identifiers.losses.ce import CrossEntropy

LOSSES: dict[LossName, Loss] = {
    "bce": BinaryCrossEntropy(),
    "ce": CrossEntropy(),
    "binary_code": BinaryCode(),
}

__all__ = ["LOSSES", "BinaryCode", "BinaryCrossEntropy", "CrossEntropy", "Loss"]
