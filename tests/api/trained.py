"""A small model, really trained, published as a finished experiment would."""

from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np

from db import models
from db.models import NewModel
from db.session import Database
from db.storage import ArtifactStore
from sip_model.backbones.catalog import BackboneCatalog
from sip_model.backbones.extract import extract_features
from sip_model.backbones.trainable import with_weights
from sip_model.corpora.samples import Samples
from sip_model.evidence.index import EvidenceIndex, Query, TrainingPassages
from sip_model.evidence.passages import Passage
from sip_model.evidence.store import save_evidence
from sip_model.experiments.config import IdentifierConfig, TrainingConfig
from sip_model.experiments.evidence import EVIDENCE_FILE
from sip_model.identifiers.artifact import Artifact, BackboneReading, save_artifact
from sip_model.identifiers.checkpoint import Checkpoint
from sip_model.identifiers.conformal import ConformalSets
from sip_model.identifiers.familiarity import Familiarity
from sip_model.identifiers.identifier import Identifier
from sip_model.identifiers.pooling import fit_growth
from sip_model.identifiers.positives import Positives
from sip_model.identifiers.support import Support
from sip_model.identifiers.train import train_identifier
from sip_model.identifiers.training_data import TrainingData
from sip_model.identifiers.tuning import BackboneTuning
from sip_model.inference.evidence import LazyEvidence
from sip_model.inference.identify import LoadedModel, log_known
from sip_model.inference.span_fitting import fit_spans

Features = Literal["hybrid", "lexical", "tuned"]
"""`tuned`: hybrid, with the last block of the backbone fine-tuned."""

SUBJECTS = {
    "sea": ("ship", "wave", "harbour", "sail"),
    "mountain": ("snow", "summit", "rope", "glacier"),
    "kitchen": ("oven", "flour", "butter", "knife"),
}
SENTENCES = (
    "The {} was older than anyone remembered.",
    "Nobody had seen the {} that morning.",
    "She drew a {} on the back of the letter.",
    "He thought about the {} for a long while.",
    "There is a story about a {} and a king.",
)
TEXTS = [sentence.format(word) for words in SUBJECTS.values() for word in words for sentence in SENTENCES]
SOURCES = [source for source, words in SUBJECTS.items() for _ in range(len(words) * len(SENTENCES))]


def document_of(number: int) -> str:
    """Id of the document that a text of `TEXTS` is."""
    return f"document {number}"


def samples() -> Samples:
    """`TEXTS` as chunks: every fifth of a source's in a row."""
    numbers = np.arange(len(TEXTS))
    return Samples(
        texts=TEXTS,
        documents=SOURCES,
        starts=np.zeros(len(TEXTS), np.int64),
        ends=np.array([len(text) for text in TEXTS]),
        chunks=numbers // len(SENTENCES),
        positives=[np.array([list(SUBJECTS).index(source)]) for source in SOURCES],
        parts=np.repeat(np.array([0, 0, 0, 1, 2], np.uint8)[None], len(TEXTS) // 5, 0).ravel(),
        sources=tuple(SUBJECTS),
        authors=(None,) * len(SUBJECTS),
        left_out=(),
        split_sha256="",
        dropped_near_duplicates=0,
        merged_duplicates=0,
    )


def back(identifier: Identifier, data: TrainingData) -> tuple[Support, EvidenceIndex]:
    """Sets, warnings and evidence as a training leaves them; every text is a document of its own."""
    known = identifier.judgement.calibration(identifier.scored(data.texts, data.features).logits)
    train, calibration = data.train, data.calibration
    passages = [Passage(document_of(n), 0, len(data.texts[n]), data.texts[n]) for n in train.tolist()]
    positives, features = data.positives, data.features
    index = EvidenceIndex.build(
        TrainingPassages(
            passages,
            np.zeros(len(train), np.bool_),
            None if features is None else features[train],
            positives.take(train),
            len(data.sources),
        )
    )
    query = Query(
        [data.texts[n] for n in calibration.tolist()],
        None if features is None else features[calibration],
        log_known(known[calibration]),
    )
    choice, rest = ((known[half], positives.take(half)) for half in (calibration[::2], calibration[1::2]))
    sets = ConformalSets.fit(choice, rest, len(data.sources))
    learned, held_out = ([data.texts[n] for n in part.tolist()] for part in (train, calibration))
    growth = fit_growth(known[calibration], positives.take(calibration))
    support = Support(sets, Familiarity.fit(learned, held_out), growth)
    return support, index.with_ranking(query, positives.take(calibration))


def publish_trained_model(
    database: Database,
    store: ArtifactStore,
    folder: Path,
    experiment_id: str,
    features: Features = "hybrid",
    *,
    keeps_evidence: bool = True,
    makes_spans: bool = False,
    dataset_id: str | None = None,
) -> str:
    """Train on `TEXTS`, store and publish; returns the model's id."""
    sources = tuple(SUBJECTS)
    numbers = np.arange(len(TEXTS))
    backbone = BackboneCatalog({}).load("minilm", device="cpu", dtype="float32")
    vectors = extract_features(backbone, TEXTS, (6,), "mean").features[:, 0]
    data = TrainingData(
        texts=TEXTS,
        features=None if features == "lexical" else vectors,
        positives=Positives.from_lists([np.array([sources.index(source)]) for source in SOURCES]),
        sources=sources,
        train=numbers[numbers % 5 < 3],
        validation=numbers[numbers % 5 == 3],
        calibration=numbers[numbers % 5 == 4],
    )
    info = backbone.info
    reading = BackboneReading(info.id, info.revision, (6,), "mean", 64, "float32")
    catalog = BackboneCatalog({})
    tuning = BackboneTuning(lambda dtype: catalog.load("minilm", device="cpu", dtype=dtype), reading)
    training = TrainingConfig(epochs=5)
    if features == "tuned":
        training = replace(training, mode="head_then_last_layers", last_layers=1, backbone_epochs=1)
    identifier = train_identifier(
        data,
        IdentifierConfig(features="lexical" if features == "lexical" else "hybrid"),
        training,
        seed=0,
        device="cpu",
        checkpoint=Checkpoint(folder / "checkpoint", "test", 1e9, lambda _: None),
        on_epoch=lambda _branch, _epoch: None,
        tuning=tuning,
    )
    files = folder / f"model-{features}"
    files.mkdir()
    support, index = back(identifier, data)
    artifact = Artifact(identifier, None if features == "lexical" else reading, {}, tuning.weights, support)
    if keeps_evidence:
        artifact = replace(artifact, evidence_sha256=save_evidence(index, files / EVIDENCE_FILE))
    if makes_spans:
        model = LoadedModel(
            artifact,
            None if features == "lexical" else with_weights(backbone, artifact.tuned),
            LazyEvidence(files, None),
        )
        artifact = replace(artifact, smoothing=fit_spans(model, samples(), data.calibration, seed=0))
    save_artifact(artifact, "bce", (), files)
    model_id = models.new_model_id()
    prefix = f"models/{model_id}"
    new = NewModel(
        id=model_id,
        name=f"subjects-{features}",
        storage_key=prefix,
        files=store.put_folder(prefix, files),
        card={},
        sources=list(sources),
    )
    with database.session() as session:
        models.publish(session, new, experiment_id=experiment_id, dataset_id=dataset_id)
    return model_id
