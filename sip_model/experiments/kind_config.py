"""What every kind's configuration says of itself, so that nothing else needs to know the kinds apart."""

from dataclasses import dataclass
from typing import Literal, NamedTuple, Self

from sip_model.experiments.config import BackboneConfig, ChunkConfig, SourcesConfig


class Place(NamedTuple):
    """A value of a configuration and the path of keys it stands at."""

    loc: tuple[str | int, ...]
    backbone: BackboneConfig
    is_decoder: bool = False
    """Whether it has to be one, since next tokens are predicted with it."""


class Reading(NamedTuple):
    """The pooled features of chunks that an experiment reads through the feature cache."""

    backbone: BackboneConfig
    """Its layers are all that are read."""
    chunk: ChunkConfig
    sources: SourcesConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class KindConfig:
    """Base of the kinds' configurations. The answers given here are those of a kind that runs a language
    model it names nowhere, because a trained model brings it along.
    """

    def queue(self) -> Literal["gpu", "cpu"]:
        """Where it runs best: `cpu` where it reads no language model, else `gpu`."""
        return "gpu"

    def backbones(self) -> tuple[Place, ...]:
        """The backbones it names and reads, the one that stands for the experiment first."""
        return ()

    def reading(self) -> Reading | None:
        """What it reads through the feature cache, so that others may fill it; None: nothing, or unknown."""
        return None

    def datasets(self) -> tuple[tuple[tuple[str | int, ...], str], ...]:
        """The datasets it names besides the experiment's own, each with the path of keys it stands at."""
        return ()

    def with_datasets(self, ids: tuple[str, ...]) -> Self:
        """The same with these datasets, in the order of `datasets`, resolved to `ids`."""
        if ids:
            raise TypeError(f"{type(self).__name__} names no datasets")
        return self

    def model(self) -> tuple[str, str] | None:
        """The block that names a trained model, and the model named there; None where none is used."""
        return None

    def with_model(self, id: str) -> Self:
        """The same with the model's name resolved to `id`."""
        raise TypeError(f"{type(self).__name__} names no model")
