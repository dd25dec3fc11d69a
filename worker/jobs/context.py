"""What an experiment's code is given: configuration, corpus, and a way to report and leave results."""

import logging
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

from sqlalchemy.orm import Session

from db import backbones, claims, datasets, experiments, models
from db.errors import StorageError
from db.experiments import artifacts_prefix
from db.metrics import NewMetric
from db.needs import NewChild
from db.session import Database
from db.settings import Settings
from db.storage import ArtifactStore
from db.tables import Experiment, JSONObject
from sip_model.corpora.summary import CorpusSummary
from sip_model.kept import KeptResults
from worker.patience import transact
from worker.reporter import Reporter
from worker.stopping import StopRequest

logger = logging.getLogger(__name__)
ConfigT_co = TypeVar("ConfigT_co", covariant=True)
Result = TypeVar("Result")


class StoredCheckpoint(NamedTuple):
    """Where a checkpoint is stored, and what its bytes hash to."""

    key: str
    sha256: str


class StoredCorpus(NamedTuple):
    """The dataset an experiment reads."""

    path: Path
    """The normalised corpus (Parquet), verified."""
    id: str
    name: str
    sha256: str
    """Of the documents."""


class _File(NamedTuple):
    name: str
    path: Path
    media_type: str


class _ModelFolder(NamedTuple):
    folder: Path
    name: str
    card: JSONObject
    sources: Sequence[str]


class _ReadCorpus(NamedTuple):
    summary: CorpusSummary
    origin: JSONObject


class _BackboneFolder(NamedTuple):
    folder: Path
    description: backbones.Description
    card: JSONObject


@dataclass(kw_only=True)
class JobContext(Generic[ConfigT_co]):
    """One attempt at an experiment, as its ``run`` function sees it.

    `progress` and `metric` only hand their values over; they are written twice a second, under the attempt's
    claim. Both raise `StaleClaimError` once the claim is lost: let it pass, the attempt is over.
    """

    experiment_id: str
    kind: str
    name: str | None
    """The experiment's name."""
    config: ConfigT_co
    """The kind's resolved configuration."""
    seed: int
    attempt: int
    """1 for the first."""
    settings: Settings
    device: str
    """``cpu`` or ``cuda:<n>``."""
    scratch: Path
    """A folder of this attempt's own, removed after it."""
    corpus: StoredCorpus | None
    """What it reads; None for a kind that names no dataset of its own."""
    model_id: str | None
    """The model the experiment uses, if it uses one."""

    database: Database = field(repr=False)
    store: ArtifactStore = field(repr=False)
    reporter: Reporter = field(repr=False)
    claim: claims.Claim = field(repr=False)
    stop_request: StopRequest = field(repr=False)
    kept_checkpoint: StoredCheckpoint | None
    """What an earlier attempt kept."""
    _num_checkpoints: int = field(default=0, init=False, repr=False)
    _files: dict[str, _File] = field(default_factory=dict, init=False, repr=False)
    _model: _ModelFolder | None = field(default=None, init=False, repr=False)
    _backbone: _BackboneFolder | None = field(default=None, init=False, repr=False)
    _imported: _ReadCorpus | None = field(default=None, init=False, repr=False)
    _awaited: Sequence[NewChild] | None = field(default=None, init=False, repr=False)

    @property
    def corpus_path(self) -> Path:
        """The normalised corpus (Parquet), verified; of an import, where it is to be written."""
        return self._own_corpus().path

    @property
    def dataset_id(self) -> str:
        """Id of the dataset."""
        return self._own_corpus().id

    @property
    def dataset_name(self) -> str:
        """Name of the dataset."""
        return self._own_corpus().name

    @property
    def dataset_sha256(self) -> str:
        """SHA-256 of the dataset's documents; of an import, empty."""
        return self._own_corpus().sha256

    @property
    def kept(self) -> KeptResults:
        """Results that other experiments may ask for too."""
        return KeptResults(self.settings.features_dir)

    def progress(self, phase: str, done: int, total: int, unit: str) -> None:
        """Say how far a phase is, for example ``("features", 640, 9000, "texts")``; as often as you like.

        A total of 0 means that nobody knows it.
        """
        self.reporter.progress(phase, done, total, unit)

    def metric(
        self,
        name: str,
        value: float,
        *,
        step: int | None = None,
        split: str | None = None,
        layer: int | None = None,
        backbone: str | None = None,
    ) -> None:
        """Record a value, for example ``("eval/accuracy", 0.83, split="test")``.

        Name, step, split and layer say which value it is: a second one of the same is dropped, so that a
        resumed attempt repeats nothing. NaN and infinities become null.
        """
        self.reporter.metric(
            NewMetric(name=name, value=value, step=step, split=split, layer=layer, backbone=backbone)
        )

    def warn(self, message: str) -> None:
        """Say in the experiment's log, and in the worker's, that something isn't as it was meant to be."""
        logger.warning("%s: %s", self.experiment_id, message)
        self._transact(lambda session: claims.warn(session, self.claim, message))

    def artifact(self, name: str, path: Path, media_type: str) -> None:
        """Leave a file behind under `name`; it must stay in place until the job returns.

        A second file of the same name replaces the first.
        """
        self._files[name] = _File(name, path, media_type)

    def model(self, folder: Path, name: str | None, card: JSONObject, *, sources: Sequence[str]) -> None:
        """Leave a model behind; at most one per experiment.

        Args:
            folder: its files; they must stay in place until the job returns.
            name: null: the experiment's name, else the dataset's.
            card: what is known of it, as JSON.
            sources: names of the sources it knows, in the order of its distributions.
        """
        self._model = _ModelFolder(folder, name or self.name or self.dataset_name, card, sources)

    def imported(self, summary: CorpusSummary, origin: JSONObject) -> None:
        """Make the corpus written to `corpus_path` that of the dataset, which is ready then.

        Args:
            summary: what is in it.
            origin: where it was read from, as JSON.
        """
        self._imported = _ReadCorpus(summary, origin)

    def model_folder(self, model_id: str) -> Path:
        """A folder with a stored model's files, each verified; `NotFoundError`, `StorageError`."""
        row = self._transact(lambda session: models.get(session, model_id))
        files = {name: str(sha256) for name, sha256 in row.files.items()}
        return self.store.local_folder(row.storage_key, files)

    def backbone(self, folder: Path, description: backbones.Description, card: JSONObject) -> None:
        """Leave a backbone behind; at most one per experiment, whose `backbone` it becomes.

        Args:
            folder: a Hugging Face folder; it must stay in place until the job returns.
            description: what configurations that name it are checked against.
            card: what is known of it, as JSON.
        """
        self._backbone = _BackboneFolder(folder, description, card)

    def backbone_card(self, backbone_id: str) -> JSONObject:
        """The card of a backbone that was trained here; `NotFoundError`."""
        return self._transact(lambda session: backbones.get(session, backbone_id)).card

    def corpus_of(self, dataset_id: str) -> StoredCorpus:
        """A further dataset that the configuration names; `NotFoundError`, `StorageError`."""
        row = self._transact(lambda session: datasets.get(session, dataset_id))
        path = self.store.local_path(row.storage_key, row.storage_sha256)
        return StoredCorpus(path, row.id, row.name, row.sha256)

    def artifact_of(self, experiment_id: str, name: str) -> Path:
        """A file that another experiment has left, verified; `NotFoundError`, `StorageError`."""
        row = self._transact(lambda session: experiments.artifact(session, experiment_id, name))
        return self.store.local_path(row.storage_key, row.sha256)

    def checkpoint_path(self) -> Path:
        """This attempt's file for its checkpoint; it holds what an earlier attempt kept, if one did.

        A stored checkpoint that is missing or damaged is left aside, with a warning.
        """
        path = self.scratch / "checkpoint"
        if self.kept_checkpoint is not None:
            try:
                shutil.copyfile(self.store.local_path(*self.kept_checkpoint), path)
            except StorageError as error:
                self.warn(f"its checkpoint can't be used: {error}")
        return path

    def resumed(self, step: int) -> None:
        """Say which training step this attempt takes up from."""
        self._transact(lambda session: claims.resume(session, self.claim, step))

    def keep_checkpoint(self, path: Path) -> None:
        """Store a checkpoint for a later attempt, in place of the one before.

        It is kept until the experiment succeeds. The metrics handed over so far are written first: the later
        attempt won't come by them again. When this process was asked to end, it ends here.
        """
        self.reporter.flush()
        self._num_checkpoints += 1
        number = f"{self.attempt}-{self._num_checkpoints}"
        key = f"{artifacts_prefix(self.experiment_id)}/checkpoints/{number}/state"
        self._transact(lambda session: claims.begin_checkpoint(session, self.claim, key))
        stored = self.store.put_file(key, path)
        before = self._transact(lambda session: claims.keep_checkpoint(session, self.claim, stored))
        if before is not None:
            self.store.delete_prefix(before)
        self.stop_request.obey()

    @contextmanager
    def writing_checkpoints(self) -> Iterator[None]:
        """Within the block a request to end waits a moment for `keep_checkpoint`; see `checkpoint_wanted`."""
        self.stop_request.expect_checkpoints(True)
        try:
            yield
        finally:
            self.stop_request.expect_checkpoints(False)

    def checkpoint_wanted(self) -> bool:
        """Whether a checkpoint should be kept now, due or not, because the process is about to end."""
        return self.stop_request.is_asked()

    def wait_for(self, children: Sequence[NewChild]) -> None:
        """Let other experiments do the work; this one runs again when all of them are final.

        They are inserted when the job returns, in the transaction that ends this attempt: all of them, once,
        or none. What else the job leaves is not kept.
        """
        self._awaited = children

    def finish(self) -> None:
        """Store what was left, then publish it and end the experiment in one transaction.

        Where the job leaves children, the attempt ends and the experiment waits for them.

        Raises `StaleClaimError` when the claim is lost; nothing is published then.
        """
        self.reporter.close()
        if (awaited := self._awaited) is not None:
            self._transact(lambda session: claims.wait_for_children(session, self.claim, awaited))
            return
        artifacts = [
            claims.NewArtifact(
                name=file.name,
                media_type=file.media_type,
                stored=self.store.put_file(f"{self.claim.artifacts_prefix}/{file.name}", file.path),
            )
            for file in self._files.values()
        ]
        model, backbone, corpus = self._stored_model(), self._stored_backbone(), self._stored_corpus()

        def publish(session: Session) -> None:
            if corpus is not None:
                claims.publish_corpus(session, self.claim, corpus)
            claims.succeed(session, self.claim, artifacts=artifacts, model=model, backbone=backbone)

        self._transact(publish)

    def _own_corpus(self) -> StoredCorpus:
        if self.corpus is None:
            raise StorageError("dataset: expected the dataset of this experiment, found none")
        return self.corpus

    def _transact(self, action: Callable[[Session], Result]) -> Result:
        return transact(self.database, action, self.settings.lease_seconds)

    def _stored_model(self) -> models.NewModel | None:
        if self._model is None:
            return None
        prefix = self.claim.model_prefix
        return models.NewModel(
            id=models.new_model_id(),
            name=self._model.name,
            storage_key=prefix,
            files=self.store.put_folder(prefix, self._model.folder),
            card=self._model.card,
            sources=self._model.sources,
        )

    def _stored_backbone(self) -> backbones.NewBackbone | None:
        if self._backbone is None:
            return None
        prefix = self.claim.backbone_prefix
        return backbones.NewBackbone(
            id=backbones.new_backbone_id(),
            name=self.name or self.dataset_name,
            storage_key=prefix,
            files=self.store.put_folder(prefix, self._backbone.folder),
            card=self._backbone.card,
            description=self._backbone.description,
        )

    def _stored_corpus(self) -> datasets.ImportedCorpus | None:
        if self._imported is None:
            return None
        prefix = self.claim.corpus_prefix(self.dataset_id)
        self._transact(lambda session: claims.begin_storing(session, self.claim, prefix))
        stored = self.store.put_file(f"{prefix}/corpus.parquet", self.corpus_path)
        summary = self._imported.summary
        return datasets.ImportedCorpus(
            num_documents=summary.num_documents,
            num_sources=summary.num_sources,
            num_bytes=summary.num_bytes,
            sha256=summary.sha256,
            storage_key=stored.key,
            storage_sha256=stored.sha256,
            origin=self._imported.origin,
            sources=[datasets.NewSource(**asdict(source)) for source in summary.sources],
        )


def kept_checkpoint(experiment: Experiment) -> StoredCheckpoint | None:
    """The checkpoint an earlier attempt at an experiment has kept."""
    if experiment.checkpoint_key is None or experiment.checkpoint_sha256 is None:
        return None
    return StoredCheckpoint(experiment.checkpoint_key, experiment.checkpoint_sha256)
