"""A trained identifier on disk: ``identifier.safetensors`` for the numbers, ``model.json`` for the rest, and
``backbone.safetensors`` for the weights of a fine-tuned backbone that differ from the original's."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Literal, cast

import numpy as np
import numpy.typing as npt
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from sip_model.errors import ArtifactError
from sip_model.experiments.config import LossName
from sip_model.identifiers.answers import Judgement
from sip_model.identifiers.branches import BackboneBranch, LexicalBranch
from sip_model.identifiers.calibration import Calibration
from sip_model.identifiers.fusion import Fusion
from sip_model.identifiers.heads import build_head
from sip_model.identifiers.identifier import Identifier
from sip_model.identifiers.losses import LOSSES
from sip_model.identifiers.members import Members
from sip_model.identifiers.ngrams import HashedNgrams, NgramSpec
from sip_model.identifiers.quotations import Quotations, QuotationTrust
from sip_model.identifiers.smoothing import Smoothing
from sip_model.identifiers.support import Support
from sip_model.identifiers.token_identifier import TokenIdentifier
from sip_model.identifiers.unknown import UnknownModel
from sip_model.identifiers.vocabulary import Vocabulary
from sip_model.identifiers.whitening import Whitening

WEIGHTS_FILE = "identifier.safetensors"
BACKBONE_FILE = "backbone.safetensors"
DESCRIPTION_FILE = "model.json"
FORMAT = 4


@dataclass(frozen=True, slots=True)
class BackboneReading:
    """How the features of an identifier are read off its backbone."""

    id: str
    revision: str
    """The content the identifier was trained on; loading refuses another one."""
    layers: tuple[int, ...]
    pooling: str
    max_tokens: int
    dtype: Literal["float32", "bfloat16"]


@dataclass(frozen=True, slots=True, eq=False)
class Artifact:
    """An identifier, how its features are read, and its card."""

    identifier: Identifier | TokenIdentifier
    reading: BackboneReading | None
    """None for an identifier that reads n-grams only."""
    card: Mapping[str, object]
    """What is known of the model, as JSON: configuration, corpus, split, metrics, versions."""
    tuned: Mapping[str, torch.Tensor] = field(default_factory=dict)
    """Weights of the backbone that fine-tuning changed, by name in its model; none for a frozen one."""
    support: Support | None = None
    """What sets and warnings rest on; None: the model answers without them."""
    evidence_sha256: str | None = None
    """Of the file of its evidence (:mod:`sip_model.evidence.store`), which lies beside; None: it has none."""
    smoothing: Smoothing | None = None
    """How spans of a text are made; None: the model tells of none."""


def save_artifact(artifact: Artifact, loss: LossName, widths: tuple[int, ...], folder: Path) -> None:
    """Write a model to an existing folder; model.json, written last, names the sha256 of the weights
    and of itself.

    Args:
        artifact: what to write.
        loss: the loss its branches were trained with.
        widths: of the head's hidden layers.
        folder: overwritten if it holds a model already.
    """
    identifier = artifact.identifier
    weights = folder / WEIGHTS_FILE
    save_file(_tensors(identifier) | _support_tensors(artifact.support), weights)
    description: dict[str, object] = {
        "format": FORMAT,
        "weights_sha256": _sha256(weights),
        "loss": loss,
        "head_widths": list(widths),
        "sources": list(identifier.sources),
        **_structure(identifier),
        "backbone": None if artifact.reading is None else asdict(artifact.reading),
        "tuned_sha256": None,
        "calibration": asdict(identifier.judgement.calibration),
        "unknown": asdict(identifier.judgement.unknown),
        "support": None if artifact.support is None else artifact.support.as_json(),
        "evidence_sha256": artifact.evidence_sha256,
        "smoothing": None if artifact.smoothing is None else asdict(artifact.smoothing),
        "card": dict(artifact.card),
    }
    if artifact.tuned:
        tuned = folder / BACKBONE_FILE
        save_file({name: value.detach().cpu().contiguous() for name, value in artifact.tuned.items()}, tuned)
        description["tuned_sha256"] = _sha256(tuned)
    description["description_sha256"] = _description_sha256(description)
    temporary = folder / f"{DESCRIPTION_FILE}.part"
    temporary.write_text(json.dumps(description, ensure_ascii=False, indent=1), encoding="utf-8")
    temporary.replace(folder / DESCRIPTION_FILE)


def load_artifact(folder: Path, device: str = "cpu") -> Artifact:
    """Read a model written by :func:`save_artifact`.

    Args:
        folder: where it is.
        device: torch device of the head.

    Raises:
        ArtifactError: a file is missing, cut short, altered, or doesn't fit the other one.
    """
    try:
        description = json.loads((folder / DESCRIPTION_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ArtifactError(
            (DESCRIPTION_FILE,), "a model's description in JSON", type(error).__name__
        ) from error
    if not isinstance(description, dict) or description.get("format") != FORMAT:
        raise ArtifactError((DESCRIPTION_FILE, "format"), f"{FORMAT}", "another format")
    stated = description.pop("description_sha256", None)
    if stated != _description_sha256(description):
        raise ArtifactError((DESCRIPTION_FILE,), "the description as it was written", "an altered one")
    try:
        tensors = _verified(folder / WEIGHTS_FILE, description["weights_sha256"])
        identifier = _identifier(description, tensors, device)
        tuned_sha256 = description.get("tuned_sha256")
        reading, support = description["backbone"], description["support"]
        smoothing = description.get("smoothing")
        return Artifact(
            identifier,
            None if reading is None else BackboneReading(**reading | {"layers": tuple(reading["layers"])}),
            description["card"],
            {} if tuned_sha256 is None else _verified(folder / BACKBONE_FILE, tuned_sha256),
            None if support is None else Support.from_stored(support, _arrays(tensors)),
            description["evidence_sha256"],
            None if smoothing is None else Smoothing(**smoothing),
        )
    except (OSError, SafetensorError, KeyError, TypeError, RuntimeError) as error:
        raise ArtifactError(
            (WEIGHTS_FILE,), "weights that fit model.json", f"{type(error).__name__}: {str(error)[:200]}"
        ) from error


def _verified(file: Path, sha256: str) -> dict[str, torch.Tensor]:
    found = _sha256(file)
    if found != sha256:
        raise ArtifactError((file.name,), f"sha256 {sha256}", found)
    return load_file(file)


def _support_tensors(support: Support | None) -> dict[str, torch.Tensor]:
    arrays = {} if support is None else support.arrays()
    return {name: torch.from_numpy(array) for name, array in arrays.items()}


def _arrays(tensors: Mapping[str, torch.Tensor]) -> dict[str, npt.NDArray[np.generic]]:
    return {name: tensor.numpy() for name, tensor in tensors.items()}


def _structure(identifier: Identifier | TokenIdentifier) -> dict[str, object]:
    """What it is made of; only a token-level identifier names its `ngram`."""
    if isinstance(identifier, TokenIdentifier):
        return {"ngram": identifier.ngram}
    return {
        "lexical": [
            {"spec": asdict(branch.ngrams.spec), "bias": branch.bias} for branch in identifier.members.lexical
        ],
        "fusion": asdict(identifier.fusion),
        "trust": None if identifier.judgement.trust is None else asdict(identifier.judgement.trust),
    }


def _tensors(identifier: Identifier | TokenIdentifier) -> dict[str, torch.Tensor]:
    tensors: dict[str, torch.Tensor] = {}
    if isinstance(identifier, Identifier):
        members = identifier.members
        arrays = identifier.quotations.arrays()
        if members.vocabulary is not None:
            arrays |= members.vocabulary.arrays()
        tensors |= {name: torch.from_numpy(array) for name, array in arrays.items()}
    else:
        members = Members((), None, identifier.branch)
    for branch in members.lexical:
        name = branch.ngrams.spec.name
        tensors[f"{name}.buckets"] = torch.from_numpy(branch.ngrams.buckets)
        tensors[f"{name}.idf"] = torch.from_numpy(branch.ngrams.idf)
        tensors[f"{name}.weight"] = torch.from_numpy(branch.weight)
    backbone = members.backbone
    if backbone is not None:
        tensors["whitening.mean"] = backbone.whitening.mean
        tensors["whitening.transform"] = backbone.whitening.transform
        tensors |= {f"head.{name}": value for name, value in backbone.head.state_dict().items()}
        if backbone.centroids is not None:
            tensors["centroids"] = backbone.centroids
    return {name: value.detach().cpu().contiguous() for name, value in tensors.items()}


def _identifier(
    description: dict[str, object], tensors: dict[str, torch.Tensor], device: str
) -> Identifier | TokenIdentifier:
    loss = LOSSES[cast("LossName", description["loss"])]
    sources = tuple(cast("list[str]", description["sources"]))
    judgement = Judgement(
        Calibration(**_with_tuples(description["calibration"])),  # type: ignore[arg-type]  # JSON, checked by use
        UnknownModel(**_with_tuples(description["unknown"])),  # type: ignore[arg-type]  # likewise
    )
    if "ngram" in description:
        branch = _backbone_branch(description, tensors, device)
        return TokenIdentifier(sources, cast("int", description["ngram"]), branch, judgement)
    lexical = []
    for entry in cast("list[dict[str, object]]", description["lexical"]):
        spec = NgramSpec(**cast("dict[str, str]", entry["spec"]))  # type: ignore[arg-type]  # JSON, checked by use
        buckets, idf, weight = (
            tensors[f"{spec.name}.{part}"].numpy() for part in ("buckets", "idf", "weight")
        )
        bias = cast("float", entry["bias"])
        lexical.append(LexicalBranch(HashedNgrams(spec, buckets, idf), weight, bias, loss, len(sources)))
    backbone = None if description["backbone"] is None else _backbone_branch(description, tensors, device)
    arrays = _arrays(tensors)
    vocabulary = Vocabulary.from_arrays(arrays, len(sources)) if lexical else None
    fusion = cast("dict[str, object]", description["fusion"])
    trust = cast("dict[str, float] | None", description["trust"])
    return Identifier(
        sources,
        Members(tuple(lexical), vocabulary, backbone),
        Fusion(tuple(cast("list[float]", fusion["weights"])), cast("float", fusion["bias"])),
        replace(judgement, trust=None if trust is None else QuotationTrust(**trust)),
        Quotations.from_arrays(arrays, len(sources)),
    )


def _backbone_branch(
    description: dict[str, object], tensors: dict[str, torch.Tensor], device: str
) -> BackboneBranch:
    loss = LOSSES[cast("LossName", description["loss"])]
    num_sources = len(cast("list[str]", description["sources"]))
    mean = tensors["whitening.mean"]
    head = build_head(
        len(mean),
        tuple(cast("list[int]", description["head_widths"])),
        loss.num_outputs(num_sources),
        0.0,
        torch.Generator(),
    )
    head.load_state_dict(
        {name.removeprefix("head."): value for name, value in tensors.items() if name.startswith("head.")}
    )
    whitening = Whitening(mean.to(device), tensors["whitening.transform"].to(device))
    centroids = tensors["centroids"].to(device) if "centroids" in tensors else None
    return BackboneBranch(whitening, head.to(device).eval(), loss, num_sources, centroids)


def _with_tuples(entry: object) -> dict[str, object]:
    """A JSON object with its lists as tuples."""
    return {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in cast("dict[str, object]", entry).items()
    }


def _description_sha256(description: Mapping[str, object]) -> str:
    """Of the description, however its JSON is laid out."""
    return hashlib.sha256(json.dumps(description, sort_keys=True).encode()).hexdigest()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
