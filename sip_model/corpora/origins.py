"""Whether a corpus may be read from where a request says: decided before anything is opened or connected."""

import re
from collections.abc import Sequence
from pathlib import Path, PurePath

from sip_model.backbones.hub import is_allowed
from sip_model.errors import CorpusError

DEFAULT_HUB_DATASETS: tuple[str, ...] = (
    "EleutherAI/*",
    "Salesforce/wikitext",
    "wikitext",
    "deepmind/pg19",
    "fancyzhx/ag_news",
    "SetFit/20_newsgroups",
    "stanfordnlp/*",
)

_REVISION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*){0,3}")
_CONFIG = re.compile(r"[\w.+-]{1,200}")
_SPECIAL = frozenset("?#*[]{}@\\")
"""Queries, patterns, and what addresses name users with."""


def check_path(given: str, roots: Sequence[Path]) -> Path:
    """The existing file or folder that a path names, all links followed, if it is inside a data root.

    A path that isn't, going by its text alone, is refused without a look at the disk.

    Raises:
        CorpusError: ``loc`` is ``("path",)``.
    """
    if not roots:
        expected = "data roots to be configured (SIP_DATA_ROOTS)"
        raise CorpusError(("path",), expected, "none", "Send the file itself instead")
    resolved_roots = [root.resolve() for root in roots]
    path = PurePath(given)
    if "\0" not in given and ".." not in path.parts and _is_below(path, [*roots, *resolved_roots]):
        try:
            found = Path(given).resolve(strict=True)
        except (OSError, RuntimeError, ValueError):
            found = None
        if found is not None and _is_below(found, resolved_roots) and (found.is_file() or found.is_dir()):
            return found
    expected = "an existing file or folder inside a data root (SIP_DATA_ROOTS)"
    raise CorpusError(("path",), expected, "another path, or none there")


def check_uri(given: str, schemes: Sequence[str]) -> str:
    """The name of the file that a URI such as ``s3://bucket/corpus.jsonl`` names.

    Raises:
        CorpusError: a scheme that isn't one of `schemes`, or anything but a plain bucket and key; ``loc`` is
            ``("uri",)``.
    """
    if not schemes:
        expected = "URI schemes to be configured (SIP_ALLOWED_URI_SCHEMES)"
        raise CorpusError(("uri",), expected, "none", "Send the file itself instead")
    scheme, separator, rest = given.partition("://")
    parts = rest.split("/")
    if not separator or scheme not in schemes:
        listed = ", ".join(f"{name}://" for name in schemes)
        raise CorpusError(("uri",), f"a URI that begins with {listed}", "another")
    is_plain = given.isprintable() and not _SPECIAL & set(given) and ":" not in rest
    if not is_plain or len(parts) < 2 or not all(parts) or {".", ".."} & set(parts):
        raise CorpusError(("uri",), f"{scheme}://<bucket>/<key>", "something else")
    return parts[-1]


def check_repo(repo: str, patterns: Sequence[str]) -> None:
    """Refuse a repository of the hub that matches none of the glob patterns; `*` stays before the slash.

    Raises:
        CorpusError: ``loc`` is ``("hub", "repo")``.
    """
    if not is_allowed(repo, patterns):
        hint = "Add a pattern to the setting allowed_hub_datasets"
        expected = f"one of {', '.join(patterns)}" if patterns else "no repository, as none is allowed"
        raise CorpusError(("hub", "repo"), expected, "an id that is none of them", hint)


def check_hub_names(config: str | None, split: str | None, revision: str | None) -> None:
    """Refuse what can't be the name of a configuration, split or revision.

    Raises:
        CorpusError: ``loc`` is ``("hub", "config")``, ….
    """
    for field, value, form in (
        ("config", config, _CONFIG),
        ("split", split, _CONFIG),
        ("revision", revision, _REVISION),
    ):
        if value is not None and (form.fullmatch(value) is None or ".." in value):
            raise CorpusError(("hub", field), f"the name of a {field}", "other characters")


def _is_below(path: PurePath, roots: Sequence[PurePath]) -> bool:
    return any(path.is_relative_to(root) for root in roots)
