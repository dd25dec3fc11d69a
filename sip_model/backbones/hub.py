"""Backbones of the Hugging Face Hub: which ids are allowed, and where their files lie on this machine."""

import re
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from huggingface_hub import snapshot_download, try_to_load_from_cache
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

from sip_model.errors import BackboneError

# What is fetched of a repository: configuration, tokenizer, safetensors weights; no code, no pickle.
FILES = (
    "config.json",
    "*.safetensors",
    "*.safetensors.index.json",
    "tokenizer*.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "sentence_bert_config.json",
    "vocab.*",
    "merges.txt",
)

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)?")
_REVISION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*){0,3}")
_COMMIT = re.compile(r"[0-9a-f]{40}")


def is_allowed(id: str, patterns: Sequence[str]) -> bool:
    """Whether a hub id matches one of the glob patterns; a `*` never reaches over the slash."""
    if _ID.fullmatch(id) is None or ".." in id or "--" in id:
        return False
    parts = id.split("/")
    for pattern in patterns:
        globs = pattern.split("/")
        if len(globs) == len(parts) and all(map(fnmatchcase, parts, globs)):
            return True
    return False


def check_revision(revision: str | None) -> None:
    """Refuse what can't be a branch, tag or commit.

    Raises:
        BackboneError: a revision with characters or parts that none has.
    """
    if revision is not None and (_REVISION.fullmatch(revision) is None or ".." in revision):
        raise BackboneError(("backbone", "revision"), "a branch, tag or commit", "other characters")


def cached_folder(id: str, revision: str | None, cache: Path | None) -> Path | None:
    """The snapshot folder of a hub id if its config.json is already here; nothing is downloaded."""
    found = try_to_load_from_cache(id, "config.json", cache_dir=cache, revision=revision)
    return Path(found).parent if isinstance(found, str) else None


def fetch_folder(id: str, revision: str | None, cache: Path | None) -> Path:
    """The snapshot folder of a hub id, downloaded unless it is here; the folder's name is the commit.

    Args:
        id: an id that `is_allowed`.
        revision: branch, tag or commit; None: the main branch. A commit that is here needs no network.
        cache: folder of the hub's cache; None: its own default.

    Raises:
        BackboneError: no such repository or revision, or it isn't here and the hub can't be reached.
    """
    check_revision(revision)
    if revision is not None and _COMMIT.fullmatch(revision):
        folder = cached_folder(id, revision, cache)
        if folder is not None and any(folder.glob("*.safetensors")):
            return folder
    try:
        return Path(snapshot_download(id, revision=revision, cache_dir=cache, allow_patterns=list(FILES)))
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as error:
        raise BackboneError(
            ("backbone", "id"),
            f"{id!r} on this machine or on the Hugging Face Hub",
            f"{type(error).__name__} while fetching it",
            "Check the spelling, the revision and the network, or download it beforehand with `hf download`",
        ) from error
