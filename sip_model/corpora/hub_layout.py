"""Which files of a dataset repository hold the rows of a configuration and split.

As the hub's own viewer decides: by ``configs`` in the header of README.md, else by folders and file names.
Only data files count, whatever a pattern says: code in a repository is never fetched.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import NamedTuple

from sip_model.corpora.document import JSON
from sip_model.errors import CorpusError

ENDINGS = (".parquet", ".jsonl", ".jsonl.gz", ".ndjson", ".json", ".json.gz", ".csv", ".csv.gz")
DEFAULT_CONFIG = "default"

_KEYWORDS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("validation", "valid", "val", "dev"), "validation"),
    **dict.fromkeys(("test", "testing", "eval", "evaluation"), "test"),
}
_SHARD = re.compile(r"(\w+(?:\.\w+)*)-\d{5}-of-\d{5}\..*")
_MAX_PATTERN_CHARACTERS = 300
_MAX_DEEP_WILDCARDS = 2
"""`**` parts of a pattern: more would take too long to try."""


class DataFile(NamedTuple):
    """A file of rows."""

    name: str
    """Path in the repository."""
    split: str
    """The split its rows are in."""


def choose_files(
    names: Sequence[str], card: Mapping[str, JSON], config: str | None, split: str | None
) -> list[DataFile]:
    """The data files of a configuration and split, the splits in their order.

    Args:
        names: of all files of the repository.
        card: the header of its README.md; empty without one.
        config: None: the default one, or the only one.
        split: None: all.

    Raises:
        CorpusError: no such configuration or split, or none with data files; ``loc`` is
            ``("hub", "config")``, ``("hub", "split")`` or ``("hub", "repo")``.
    """
    data = sorted(name for name in names if name.lower().endswith(ENDINGS) and not name.startswith("."))
    described = _described(card)
    if described:
        files = _by_description(data, _choose_config(described, config))
    else:
        files = _by_name(data, _folder_of(data, config))
    if not files:
        expected = f"data files ({', '.join(ENDINGS)})"
        raise CorpusError(("hub", "repo"), expected, "none in this configuration")
    if split is None:
        return files
    chosen = [file for file in files if file.split == split]
    if not chosen:
        raise CorpusError(("hub", "split"), _one_of(file.split for file in files), "another name")
    return chosen


def matches(name: str, pattern: str) -> bool:
    """Whether a path fits a glob pattern; `*` stays within a part of it, `**` doesn't."""
    if len(pattern) > _MAX_PATTERN_CHARACTERS or pattern.split("/").count("**") > _MAX_DEEP_WILDCARDS:
        return False
    return _parts_match(name.split("/"), pattern.removeprefix("./").split("/"))


def _parts_match(parts: Sequence[str], globs: Sequence[str]) -> bool:
    if not globs:
        return not parts
    if globs[0] == "**":
        return any(_parts_match(parts[start:], globs[1:] or ["*"]) for start in range(len(parts)))
    return bool(parts) and fnmatchcase(parts[0], globs[0]) and _parts_match(parts[1:], globs[1:])


def _described(card: Mapping[str, JSON]) -> dict[str, Mapping[str, JSON]]:
    """The configurations of a card that say which files are theirs."""
    configs = card.get("configs")
    found = {}
    for entry in configs if isinstance(configs, list) else ():
        if isinstance(entry, Mapping) and ("data_files" in entry or "data_dir" in entry):
            found[str(entry.get("config_name", DEFAULT_CONFIG))] = entry
    return found


def _choose_config(described: Mapping[str, Mapping[str, JSON]], config: str | None) -> Mapping[str, JSON]:
    if config is None:
        marked = [entry for entry in described.values() if entry.get("default") is True]
        only = list(described.values()) if len(described) == 1 else []
        for entry in (*marked, *only):
            return entry
        config = DEFAULT_CONFIG
    if config not in described:
        raise CorpusError(("hub", "config"), _one_of(described), "another name, or none")
    return described[config]


def _by_description(data: Sequence[str], entry: Mapping[str, JSON]) -> list[DataFile]:
    folder = entry.get("data_dir")
    prefix = f"{folder.strip('/')}/" if isinstance(folder, str) and folder.strip("./") else ""
    if "data_files" not in entry:
        return _by_name(data, prefix)
    files: dict[str, DataFile] = {}
    for split, pattern in _patterns(entry["data_files"], "train"):
        for name in data:
            if matches(name, prefix + pattern):
                files.setdefault(name, DataFile(name, split))
    order = list(dict.fromkeys(file.split for file in files.values()))
    return sorted(files.values(), key=lambda file: (order.index(file.split), file.name))


def _patterns(value: JSON, split: str) -> Iterator[tuple[str, str]]:
    """Split and pattern of every entry of `data_files`, in any of its forms."""
    match value:
        case str():
            yield split, value
        case list():
            for item in value:
                yield from _patterns(item, split)
        case Mapping() if "path" in value:
            yield from _patterns(value["path"], str(value.get("split", split)))
        case Mapping():
            for name, item in value.items():
                yield from _patterns(item, str(name))
        case _:
            hint = "Its README.md can't be used"
            raise CorpusError(("hub", "config"), "data_files of paths", "something else", hint)


def _folder_of(data: Sequence[str], config: str | None) -> str:
    """The folder that a configuration nobody describes is in; empty for the default one."""
    if config in (None, DEFAULT_CONFIG):
        return ""
    if not any(name.startswith(f"{config}/") for name in data):
        folders = [name.partition("/")[0] for name in data if "/" in name]
        raise CorpusError(("hub", "config"), _one_of([DEFAULT_CONFIG, *folders]), "another name")
    return f"{config}/"


def _by_name(data: Sequence[str], prefix: str) -> list[DataFile]:
    """Files below a folder, their split known by their names; `train` where they don't tell."""
    files = [DataFile(name, _split_of(name[len(prefix) :])) for name in data if name.startswith(prefix)]
    order = ("train", "validation", "test")
    rank = {split: number for number, split in enumerate(order)}
    return sorted(files, key=lambda file: (rank.get(file.split, len(order)), file.split, file.name))


def _split_of(name: str) -> str:
    *folders, file = name.split("/")
    shard = _SHARD.fullmatch(file)
    if shard is not None:
        return _KEYWORDS.get(shard[1], shard[1])
    for part in (file, *reversed(folders)):
        for word in re.split(r"[-._ 0-9]+", part.lower()):
            if word in _KEYWORDS:
                return _KEYWORDS[word]
    return "train"


def _one_of(names: Iterator[str] | Sequence[str] | Mapping[str, object]) -> str:
    distinct = list(dict.fromkeys(names))
    shown = ", ".join(name[:50] if name.isprintable() else "…" for name in distinct[:20])
    return f"one of {shown}" + (", …" if len(distinct) > 20 else "")
