"""Data files of a dataset repository of the Hugging Face Hub: found, fetched one by one, read as documents.

Files are all that is taken from a repository; nothing in it is run, and no library that would is used.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import yaml
from huggingface_hub import HfApi, hf_hub_download
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.repocard import metadata_load

from sip_model.corpora.document import JSON, Document
from sip_model.corpora.hub_layout import DataFile, choose_files
from sip_model.corpora.hub_rows import hub_documents, hub_rows
from sip_model.corpora.naming import NumberedNames
from sip_model.corpora.wikitext import read_articles
from sip_model.errors import CorpusError, OriginUnreachableError
from sip_model.experiments.ingest import HubOrigin

CARD = "README.md"
MAX_CARD_BYTES = 4 * 2**20
TIMEOUT_SECONDS = 30.0

# the errors of the library's HTTP client, which isn't the same in all its versions
_HTTP_ERROR: type[Exception] = HfHubHTTPError.__mro__[1]
_COMMIT = re.compile(r"[0-9a-f]{40}")
_NAME = re.compile(r"[\w][\w .,()+=@-]*(/[\w][\w .,()+=@-]*)*")


@dataclass(frozen=True, slots=True)
class HubFiles:
    """What is to be fetched."""

    commit: str
    """Of the repository, in 40 hexadecimal digits: files of no other are fetched."""
    files: tuple[DataFile, ...]
    num_bytes: int
    """Of all files, as the hub says."""


@dataclass(frozen=True, slots=True)
class HubDataset:
    """A configuration of a dataset repository.

    Args:
        origin: checked against the allow-list by the caller.
        folder: where files are put while they are read.
        endpoint: where the hub answers; None: the library's own.
    """

    origin: HubOrigin
    folder: Path
    endpoint: str | None = None

    def find(self, max_bytes: int) -> HubFiles:
        """Resolve the revision to a commit and choose the files; nothing but the card is fetched.

        Raises:
            CorpusError: no such repository, revision, configuration or split, or more than `max_bytes`;
                ``loc`` is ``("hub", "repo")``, ….
            OriginUnreachableError: the hub doesn't answer.
        """
        with _hub_errors():
            info = HfApi(endpoint=self.endpoint).dataset_info(
                self.origin.repo, revision=self.origin.revision, files_metadata=True, timeout=TIMEOUT_SECONDS
            )
        commit = info.sha or ""
        if _COMMIT.fullmatch(commit) is None:
            raise CorpusError(("hub", "revision"), "a commit", "an answer of the hub without one")
        sizes = {file.rfilename: file.size for file in info.siblings or () if _NAME.fullmatch(file.rfilename)}
        card = self._card(commit, sizes.get(CARD))
        files = choose_files(list(sizes), card, self.origin.config, self.origin.split)
        num_bytes = 0
        for file in files:
            size = sizes[file.name]
            if size is None:
                raise CorpusError(("hub", "repo"), "files whose size the hub tells", "one without")
            num_bytes += size
        if num_bytes > max_bytes:
            expected = f"at most {max_bytes} bytes of data files"
            hint = "Choose a config or split that is smaller, or raise SIP_MAX_IMPORT_BYTES"
            raise CorpusError(("hub", "repo"), expected, f"{num_bytes}", hint)
        return HubFiles(commit, tuple(files), num_bytes)

    def documents(self, found: HubFiles, on_file: Callable[[int], None]) -> Iterator[Document]:
        """A document per row, file after file; each is removed once it is read.

        Args:
            found: by `find`.
            on_file: called with the number of files that are read.

        Raises:
            CorpusError: ``loc`` is ``("data/train.parquet row 17", "source")``.
            OriginUnreachableError: the hub doesn't answer.
        """
        for number, file in enumerate(found.files):
            on_file(number)
            path = self._fetch(file.name, found.commit)
            origin = self.origin
            yield from hub_documents(path, file.name, file.split, origin.text_column, origin.source_column)
            path.unlink()
        on_file(len(found.files))

    def articles(self, found: HubFiles, on_file: Callable[[int], None]) -> Iterator[Document]:
        """The articles that the rows make up as lines of the format `wikitext`; else as `documents`."""
        names = NumberedNames()
        for split in dict.fromkeys(file.split for file in found.files):
            yield from read_articles(self._lines(found, split, on_file), names, split)
        on_file(len(found.files))

    def _lines(
        self, found: HubFiles, split: str, on_file: Callable[[int], None]
    ) -> Iterator[tuple[str, str]]:
        column = self.origin.text_column
        for number, file in enumerate(found.files):
            if file.split != split:
                continue
            on_file(number)
            path = self._fetch(file.name, found.commit)
            for row, fields in hub_rows(path, file.name, (column,)):
                line = fields[column]
                where = f"{file.name} row {row}"
                if not isinstance(line, str | None):
                    raise CorpusError((where, column), "a string", "another value")
                yield where, line or ""
            path.unlink()

    def _card(self, commit: str, num_bytes: int | None) -> Mapping[str, JSON]:
        """The header of the repository's README.md."""
        if num_bytes is None:
            return {}
        if num_bytes > MAX_CARD_BYTES:
            raise CorpusError(("hub", "repo"), f"a {CARD} of at most {MAX_CARD_BYTES} bytes", f"{num_bytes}")
        try:
            card = metadata_load(self._fetch(CARD, commit))
        except (yaml.YAMLError, UnicodeDecodeError, ValueError, RecursionError):
            found = "one that can't be read"
            raise CorpusError(("hub", "repo"), f"a {CARD} with a header in YAML", found) from None
        return cast("Mapping[str, JSON]", card or {})

    def _fetch(self, name: str, commit: str) -> Path:
        with _hub_errors():
            path = hf_hub_download(
                self.origin.repo,
                name,
                repo_type="dataset",
                revision=commit,
                local_dir=self.folder,
                endpoint=self.endpoint,
                etag_timeout=TIMEOUT_SECONDS,
            )
        return Path(path)


@contextmanager
def _hub_errors() -> Iterator[None]:
    """Turn what the hub's library raises into this package's errors."""
    try:
        yield
    except GatedRepoError:
        expected = "a repository this installation may read"
        hint = "Ask for access on its page and give the worker a token (HF_TOKEN)"
        raise CorpusError(("hub", "repo"), expected, "a gated one", hint) from None
    except RepositoryNotFoundError:
        raise CorpusError(("hub", "repo"), "a dataset repository of the hub", "none of this id") from None
    except RevisionNotFoundError:
        found = "none of this name"
        raise CorpusError(("hub", "revision"), "a branch, tag or commit of it", found) from None
    except HFValidationError:
        raise CorpusError(("hub", "repo"), "an id of a repository", "something else") from None
    except HfHubHTTPError as error:
        status = int(getattr(error.response, "status_code", 0))
        if 400 <= status < 500 and status != 429:
            raise CorpusError(("hub", "repo"), "a file the hub gives", f"its refusal ({status})") from None
        raise OriginUnreachableError(f"the hub doesn't answer ({type(error).__name__})") from error
    except (LocalEntryNotFoundError, OfflineModeIsEnabled, _HTTP_ERROR) as error:
        raise OriginUnreachableError(f"the hub doesn't answer ({type(error).__name__})") from error
