"""Which backbones may be named, and what they are; the one door to their files. Imports no torch."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from sip_model.backbones import hub
from sip_model.backbones.bundled import BUNDLED, bundled_folder, sha256_of_file, verify_bundled
from sip_model.backbones.info import BackboneInfo, read_info, resolve_max_tokens
from sip_model.backbones.layers import resolve_layers
from sip_model.backbones.parameters import num_inner_parameters
from sip_model.errors import BackboneError
from sip_model.experiments.config import OWN_BACKBONE, BackboneConfig

if TYPE_CHECKING:
    from sip_model.backbones.causal import CausalBackbone
    from sip_model.backbones.dtypes import DtypeChoice
    from sip_model.backbones.load import Backbone

DEFAULT_ALLOWED: tuple[str, ...] = (
    "EleutherAI/pythia-*",
    "openai-community/gpt2*",
    "gpt2*",
    "facebook/opt-*",
    "meta-llama/*",
    "google-bert/bert-*",
    "bert-*",
    "albert/albert-*",
    "google/electra-*",
    "distilbert/distilbert-*",
    "distilbert-*",
    "sentence-transformers/*",
    "huawei-noah/TinyBERT*",
)


@dataclass(frozen=True, slots=True)
class CatalogEntry:
    """Something that may be named as `backbone.id`."""

    name: str
    """The id, or for `pattern` a glob of Hugging Face ids."""
    kind: Literal["bundled", "local", "pattern"]


class OwnBackbone(Protocol):
    """A backbone that was trained here, wherever it is kept."""

    @property
    def info(self) -> Mapping[str, object]:
        """The fields of its `BackboneInfo`."""
        ...

    def folder(self) -> Path:
        """A folder of this machine with its files, each verified."""
        ...


FindOwn = Callable[[str], OwnBackbone | None]
"""From an id that begins with `bb_` to the backbone, None where there is none of it."""


class BackboneCatalog:
    """The backbones an installation allows.

    Args:
        local: name to model folder (config.json, tokenizer.json, *.safetensors).
        allowed: glob patterns of Hugging Face ids; a `*` never reaches over the slash.
        hub_cache: folder of the Hugging Face cache; None: its own default.
        find_own: finds those that were trained here; None: there are none.
    """

    def __init__(
        self,
        local: Mapping[str, Path],
        allowed: Sequence[str] = DEFAULT_ALLOWED,
        hub_cache: Path | None = None,
        find_own: FindOwn | None = None,
    ) -> None:
        self._find_own = find_own
        self._local = dict(local)
        self._allowed = tuple(allowed)
        self._hub_cache = hub_cache

    def ids(self) -> list[CatalogEntry]:
        """Everything that may be named, but for the backbones trained here."""
        return [
            *(CatalogEntry(name, "bundled") for name in BUNDLED),
            *(CatalogEntry(name, "local") for name in self._local),
            *(CatalogEntry(pattern, "pattern") for pattern in self._allowed),
        ]

    def check(self, config: BackboneConfig) -> BackboneInfo | None:
        """Check a configuration against the backbone it names, without weights and without the network.

        Returns:
            What is known of the backbone; None for a Hugging Face id that isn't on this machine: its layers
            are checked when the job fetches it.

        Raises:
            BackboneError: `loc` is `("backbone", field)`, with the position for a layer.
        """
        if is_own(config.id):
            info = self._own_info(config.id, config.revision)
        else:
            folder = self._folder_here(config.id, config.revision)
            if folder is None:
                return None
            info = self._read(config.id, config.revision, folder)
        check_config(config, info)
        return info

    def fetch(self, id: str, revision: str | None = None) -> BackboneInfo:
        """Describe a backbone, downloading a Hugging Face one first; its weights are not loaded.

        Raises:
            BackboneError: not allowed, not to be had, or of another content than `revision` says.
        """
        if is_own(id):
            return self._own_info(id, revision)
        return self._read(id, revision, self._fetched_folder(id, revision))

    def load(
        self, id: str, revision: str | None = None, device: str = "auto", dtype: "DtypeChoice" = "auto"
    ) -> "Backbone":
        """Load a backbone.

        Args:
            id: what may be named, see :meth:`ids`.
            revision: branch, tag or commit of a Hugging Face id; for the others None or the revision
                that their `BackboneInfo` said, so that a stored result can't meet other weights unnoticed.
            device: a torch device, or `auto`.
            dtype: `float32`, `bfloat16` or `auto`.

        Raises:
            BackboneError: not allowed, not to be had, altered, or not loadable as safetensors.
        """
        from sip_model.backbones.load import load_backbone

        return load_backbone(*self._verified(id, revision), device, dtype)

    def load_causal(
        self, id: str, revision: str | None = None, device: str = "auto", dtype: "DtypeChoice" = "auto"
    ) -> "CausalBackbone":
        """Load a decoder with its head for next tokens; arguments as for `load`.

        Raises:
            BackboneError: as `load` does, and for an encoder or weights without that head.
        """
        from sip_model.backbones.causal import load_causal

        return load_causal(*self._verified(id, revision), device, dtype)

    def num_parameters(self, id: str, revision: str | None = None) -> int:
        """Parameters besides those of embeddings and output, read off its files; errors as for `load`."""
        return num_inner_parameters(self._verified(id, revision)[0])

    def _verified(self, id: str, revision: str | None) -> tuple[Path, BackboneInfo]:
        """The model folder, fetched if need be and of the right content, and what is known of it."""
        if is_own(id):
            info = self._own_info(id, revision)
            return self._own(id).folder(), info
        folder = self._fetched_folder(id, revision)
        info = self._read(id, revision, folder)
        if id in BUNDLED and id not in self._local:
            verify_bundled(id)
        return folder, info

    def _own(self, id: str) -> OwnBackbone:
        found = None if self._find_own is None else self._find_own(id)
        if found is None:
            hint = "GET /backbones lists them"
            raise BackboneError(("backbone", "id"), "a backbone that was trained here", "no such one", hint)
        return found

    def _own_info(self, id: str, revision: str | None) -> BackboneInfo:
        info = own_info(self._own(id).info)
        if revision is not None and revision != info.revision:
            raise BackboneError(
                ("backbone", "revision"), f"{info.revision}, the content of {id!r}", "another revision"
            )
        return info

    def _folder_here(self, id: str, revision: str | None) -> Path | None:
        """The model folder if it is on this machine."""
        if id in self._local:
            return self._local[id]
        if id in BUNDLED:
            return bundled_folder(id)
        self._require_allowed(id)
        hub.check_revision(revision)
        return hub.cached_folder(id, revision, self._hub_cache)

    def _fetched_folder(self, id: str, revision: str | None) -> Path:
        if id in self._local or id in BUNDLED:
            folder = self._folder_here(id, revision)
            assert folder is not None
            return folder
        self._require_allowed(id)
        return hub.fetch_folder(id, revision, self._hub_cache)

    def _require_allowed(self, id: str) -> None:
        if not hub.is_allowed(id, self._allowed):
            raise BackboneError(
                ("backbone", "id"),
                f"one of {', '.join([*BUNDLED, *self._local, *self._allowed])}",
                "an id that is none of them",
                "Add a pattern to the setting allowed_backbones, or a folder to backbone_folders",
            )

    def _read(self, id: str, revision: str | None, folder: Path) -> BackboneInfo:
        if id in self._local:
            content = content_revision(folder)
        elif id in BUNDLED:
            content = BUNDLED[id].revision
        else:
            return read_info(folder, id, folder.name)
        if revision is not None and revision != content:
            raise BackboneError(
                ("backbone", "revision"), f"{content}, the content of {id!r} here", "another revision"
            )
        return read_info(folder, id, content)


def is_own(id: str) -> bool:
    """Whether an id is that of a backbone trained here, there or not."""
    return id.startswith(OWN_BACKBONE)


def own_info(fields: Mapping[str, object]) -> BackboneInfo:
    """A `BackboneInfo` from its fields as JSON keeps them; `TypeError` for others."""
    info = BackboneInfo(**fields)  # type: ignore[arg-type]  # what `asdict` gave, out of our own table
    return replace(info, poolings=tuple(info.poolings))


def check_config(config: BackboneConfig, info: BackboneInfo) -> None:
    """Check layers, pooling and max_tokens of a configuration against a backbone.

    Raises:
        BackboneError: one of them is beyond the backbone.
    """
    resolve_layers(config.layers, info.num_layers)
    if config.pooling not in info.poolings:
        raise BackboneError(
            ("backbone", "pooling"),
            f"one of {', '.join(info.poolings)} for {info.id!r}, "
            + ("a decoder" if info.is_causal else "an encoder"),
            repr(config.pooling),
        )
    resolve_max_tokens(config.max_tokens, info)


def content_revision(folder: Path) -> str:
    """SHA-256 over the files of a model folder that shape its features: weights, configuration, tokenizer.

    Files are read once per process while their size and modification time stay the same.
    """
    digest = hashlib.sha256()
    for path in sorted(path for pattern in hub.FILES for path in folder.glob(pattern)):
        digest.update(f"{path.name}\0{sha256_of_file(path)}\n".encode())
    return digest.hexdigest()
