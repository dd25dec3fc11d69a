"""Kind `ingest`: a corpus from a path, a URI or the hub becomes a dataset; or none of it does."""

import logging
from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import NamedTuple, cast

import fsspec
from huggingface_hub.utils.tqdm import disable_progress_bars

from db.errors import StorageUnavailableError
from db.storage import ArtifactStore
from db.tables import JSONObject
from sip_model.corpora.document import Document
from sip_model.corpora.formats import read_corpus
from sip_model.corpora.hub import HubDataset
from sip_model.corpora.limits import CorpusLimits, within
from sip_model.corpora.origins import DEFAULT_HUB_DATASETS, check_hub_names, check_path, check_repo, check_uri
from sip_model.corpora.store import write_corpus
from sip_model.errors import CorpusError, OriginUnreachableError
from sip_model.experiments.ingest import HubOrigin, IngestConfig
from worker.jobs.context import JobContext

logger = logging.getLogger(__name__)


class _Opened(NamedTuple):
    documents: Iterator[Document]
    origin: JSONObject
    """Where they come from, every name resolved."""


def run(context: JobContext[IngestConfig]) -> None:
    """Read the corpus to its end and make it the dataset's; whatever can't be used fails the whole import.

    What the request named is checked once more: a settings file, or a link in a data root, may have changed.
    """
    config = context.config
    context.progress("opening", 0, 1, "corpora")
    try:
        if config.hub is not None:
            opened = _open_hub(context, config.hub)
        elif config.uri is not None:
            opened = _open_uri(context, config.uri)
        else:
            opened = _open_path(context, config.path or "")
        summary = write_corpus(opened.documents, context.corpus_path)
    except OriginUnreachableError as error:
        raise StorageUnavailableError(str(error)) from error
    context.imported(summary, opened.origin)


def _open_path(context: JobContext[IngestConfig], given: str) -> _Opened:
    path = check_path(given, context.settings.data_roots)
    documents = read_corpus(path, context.config.format, _limits(context))
    return _Opened(_counted(context, documents), {"path": given})


def _open_uri(context: JobContext[IngestConfig], uri: str) -> _Opened:
    name, settings = check_uri(uri, context.settings.allowed_uri_schemes), context.settings
    scheme = uri.partition("://")[0]
    try:
        fsspec.get_filesystem_class(scheme)
    except (ImportError, ValueError):
        expected = f"a worker with the library for {scheme}:// (the extra s3 or gcs)"
        raise CorpusError(("uri",), expected, "one without") from None
    store = ArtifactStore(uri.rpartition("/")[0], context.scratch / "fetched")
    num_bytes = store.num_bytes(name)
    if num_bytes > settings.max_import_bytes:
        expected = f"at most {settings.max_import_bytes} bytes"
        raise CorpusError(("uri",), expected, f"{num_bytes}", "Raise SIP_MAX_IMPORT_BYTES")
    context.progress("fetching", 0, 1, "files")
    path = store.local_path(name)
    context.progress("fetching", 1, 1, "files")
    documents = read_corpus(path, context.config.format, _limits(context))
    return _Opened(_counted(context, documents), {"uri": uri})


def _open_hub(context: JobContext[IngestConfig], origin: HubOrigin) -> _Opened:
    settings = context.settings
    allowed = settings.allowed_hub_datasets
    check_repo(origin.repo, DEFAULT_HUB_DATASETS if allowed is None else allowed)
    check_hub_names(origin.config, origin.split, origin.revision)
    disable_progress_bars()  # the log is read by the line
    dataset = HubDataset(origin, context.scratch / "hub", settings.hub_endpoint)
    found = dataset.find(settings.max_import_bytes)
    logger.info(
        "%s: %d files of %s at %s", context.experiment_id, len(found.files), origin.repo, found.commit
    )

    def on_file(num_read: int) -> None:
        context.progress("reading", num_read, len(found.files), "files")

    read = dataset.articles if context.config.format == "wikitext" else dataset.documents
    resolved = cast("JSONObject", asdict(replace(origin, revision=found.commit)))
    return _Opened(within(read(found, on_file), _limits(context)), {"hub": resolved})


def _limits(context: JobContext[IngestConfig]) -> CorpusLimits:
    return CorpusLimits(**context.settings.corpus_limits)


def _counted(context: JobContext[IngestConfig], documents: Iterator[Document]) -> Iterator[Document]:
    """Report how many have been read; nobody knows how many there are."""
    for number, document in enumerate(documents, start=1):
        yield document
        del document  # or a long one would stay until the next has been read
        context.progress("reading", number, 0, "documents")
