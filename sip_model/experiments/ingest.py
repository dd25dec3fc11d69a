"""Configuration of the kind `ingest`: the import of a dataset, which `POST /datasets` starts."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from sip_model.experiments.config import BLOCK, require
from sip_model.experiments.kind_config import KindConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class HubOrigin:
    """Data files of a dataset repository in the layout of the Hugging Face Hub."""

    __pydantic_config__: ClassVar[dict[str, str | bool]] = BLOCK

    repo: str
    """Id of the repository, `owner/name`."""
    config: str | None = None
    """Which of its configurations; null: its default one."""
    split: str | None = None
    """Which split; null: all, each document with the one it is in."""
    text_column: str = "text"
    """Column of the text."""
    source_column: str = "source"
    """Column of the source's name, or of a list of such."""
    revision: str | None = None
    """Branch, tag or commit; null: the main branch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestConfig(KindConfig):
    """Kind `ingest`: read a corpus from a path, a URI or the hub, and make its dataset ready."""

    __pydantic_config__: ClassVar[dict[str, str | bool]] = BLOCK

    format: str
    """A corpus format; for the hub `hub` (rows with a text and a source), or `wikitext` (rows that are its
    lines)."""
    path: str | None = None
    """A file or folder inside a data root."""
    uri: str | None = None
    """A file of an object store."""
    hub: HubOrigin | None = None

    def __post_init__(self) -> None:
        given = [origin for origin in (self.path, self.uri, self.hub) if origin is not None]
        require(len(given) == 1, f"path, uri, hub: expected one of them, found {len(given)}")

    def queue(self) -> Literal["gpu", "cpu"]:
        """`cpu`: it runs no language model."""
        return "cpu"
