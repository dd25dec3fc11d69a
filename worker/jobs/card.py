"""A model's card: what is known of it, stored with the artifact and shown by ``GET /models/{id}``."""

from dataclasses import dataclass

from pydantic import TypeAdapter, ValidationError

from db.tables import JSONObject
from sip_model.corpora.selection import LeftOut
from sip_model.errors import ArtifactError
from sip_model.experiments.train import TrainConfig
from sip_model.identifiers.artifact import BackboneReading


@dataclass(frozen=True, slots=True, kw_only=True)
class CardCorpus:
    """The dataset a model was trained on."""

    dataset: str
    name: str
    sha256: str
    """Of the documents; two datasets of equal content share it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CardSplit:
    """Which samples a model was trained, calibrated and tested on."""

    sha256: str
    samples: dict[str, int]
    """Part to number of samples."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCard:
    """All a model's card says."""

    experiment: str
    config: TrainConfig
    """Resolved, every default written out."""
    seed: int
    corpus: CardCorpus
    split: CardSplit
    authors: list[str | None]
    """Of each source, where all its documents agree on one."""
    left_out: list[LeftOut]
    """Sources with too few chunks to take part."""
    backbone: BackboneReading | None
    """None for an identifier that reads n-grams only."""
    metrics: dict[str, float]
    """On the test part."""
    versions: dict[str, str]
    """Library to version."""

    def dump(self) -> JSONObject:
        """As JSON."""
        card: JSONObject = _CARD.dump_python(self, mode="json")
        return card


_CARD = TypeAdapter(ModelCard)


def read_card(card: object) -> ModelCard:
    """The card of a stored model; `ArtifactError` where it is not one of ours."""
    try:
        return _CARD.validate_python(card)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        raise ArtifactError(("card", field), "a model's card", first["msg"]) from error
