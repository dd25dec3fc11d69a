"""From texts to vectors: which backbone, layer and pooling is meant, and the two forms of the answer."""

import base64
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt
from fastapi.concurrency import run_in_threadpool
from sqlalchemy.orm import Session
from starlette.responses import Response

from api.errors import InvalidRequestError, field_error, invalid
from api.json_answers import json_answer
from api.references import no_such_model
from api.schemas.embed import (
    EmbedRequest,
    EncodingFormat,
    OpenAIEmbeddingsRequest,
    OpenAIModel,
    OpenAIModels,
)
from api.services import Services
from api.texts import texts_of
from db import backbones, models
from db.errors import NotFoundError
from db.tables import Model
from sip_model.errors import BackboneError, Location
from sip_model.experiments.config import BackboneConfig

if TYPE_CHECKING:
    from sip_model.inference.embed import Embeddings

WITHOUT_A_MODEL = "minilm"

Vectors = npt.NDArray[np.float32]


class _Chosen(NamedTuple):
    """Which backbone reads the texts, and how."""

    config: BackboneConfig
    tuned_by: Model | None = None
    """The trained model whose weights it has; None: its original ones."""


async def embed(services: Services, request: EmbedRequest) -> Response:
    """The vectors of the texts of a request: `EmbedResponse` as JSON."""
    texts = texts_of(services, request.input)
    chosen = await _chosen_backbone(services, request)
    found, vectors = await _vectors(services, chosen, texts, request.normalize, request.dimensions)
    return json_answer(
        {
            "data": [
                {"index": index, "embedding": written}
                for index, written in enumerate(_written(vectors, request.encoding_format))
            ],
            "model": chosen.config.id,
            "dimensions": vectors.shape[1],
            "usage": {"texts": len(texts), "tokens": found.num_tokens},
        }
    )


async def embed_for_openai(services: Services, request: OpenAIEmbeddingsRequest) -> Response:
    """The same in OpenAI's form, `OpenAIEmbeddingsResponse`; vectors have length 1."""
    texts = texts_of(services, request.input)
    chosen = await _named_backbone(services, request.model)
    found, vectors = await _vectors(services, chosen, texts, True, request.dimensions)
    return json_answer(
        {
            "object": "list",
            "data": [
                {"object": "embedding", "index": index, "embedding": written}
                for index, written in enumerate(_written(vectors, request.encoding_format))
            ],
            "model": chosen.config.id,
            "usage": {"prompt_tokens": found.num_tokens, "total_tokens": found.num_tokens},
        }
    )


def openai_models(services: Services, session: Session) -> OpenAIModels:
    """Everything OpenAI's form takes as `model`: backbones, then the newest trained models."""
    named = [entry.name for entry in services.catalog.ids() if entry.kind != "pattern"]
    own, trained = backbones.listed(session, limit=500), models.page(session, limit=500).rows
    return OpenAIModels(
        data=[OpenAIModel(id=name, created=0, owned_by="backbone") for name in named]
        + [
            OpenAIModel(id=row.id, created=int(row.created_at.timestamp()), owned_by="backbone")
            for row in own
        ]
        + [
            OpenAIModel(id=row.id, created=int(row.created_at.timestamp()), owned_by="trained")
            for row in trained
        ]
    )


async def _vectors(
    services: Services, chosen: _Chosen, texts: list[str], normalize: bool, dimensions: int | None
) -> tuple["Embeddings", Vectors]:
    try:
        found = await services.engine.embed(chosen.config, texts, chosen.tuned_by)
    except BackboneError as error:
        raise _refused(error, "backbone") from error
    return found, shaped(found.vectors, normalize, dimensions)


def shaped(vectors: Vectors, normalize: bool, dimensions: int | None) -> Vectors:
    """The first `dimensions` of vectors (n, D), then scaled to length 1; raises 422 for more than D."""
    if dimensions is not None and dimensions > vectors.shape[1]:
        raise invalid(("body", "dimensions"), f"at most {vectors.shape[1]}", str(dimensions))
    kept = vectors[:, :dimensions].astype(np.float32)
    if not normalize:
        return kept
    lengths = np.linalg.norm(kept, axis=1, keepdims=True)
    scaled: Vectors = kept / np.maximum(lengths, np.finfo(np.float32).tiny)
    return scaled


async def _chosen_backbone(services: Services, request: EmbedRequest) -> _Chosen:
    """What the request means."""
    if request.backbone is not None:
        chosen = _Chosen(_backbone(request.backbone, "backbone"))
    else:
        chosen = await _model_backbone(services, request.model)
    config = chosen.config
    if request.layer is not None:
        config = replace(config, layers=(request.layer,))
    if request.pooling is not None:
        config = replace(config, pooling=request.pooling)
    return await run_in_threadpool(_checked, services, chosen._replace(config=config), "backbone")


async def _named_backbone(services: Services, name: str) -> _Chosen:
    """OpenAI's `model`: a trained model where there is one of this name, else a backbone id."""
    model = await run_in_threadpool(_model, services, name)
    if model is None:
        chosen = _Chosen(_backbone(WITHOUT_A_MODEL if name == models.DEFAULT else name, "model"))
    else:
        chosen = await _reading(services, model)
    return await run_in_threadpool(_checked, services, chosen, "model")


async def _model_backbone(services: Services, reference: str | None) -> _Chosen:
    """The backbone of the model named, or of the default one where that has one."""
    model = await run_in_threadpool(_model, services, reference or models.DEFAULT)
    if model is not None:
        return await _reading(services, model)
    if reference is None:
        return _Chosen(BackboneConfig(id=WITHOUT_A_MODEL))
    raise no_such_model()


async def _reading(services: Services, model: Model) -> _Chosen:
    reading = await services.engine.reading(model)
    if reading is None:
        raise invalid(
            ("body", "model"),
            "a model that reads a backbone",
            "one that reads n-grams only",
            "Name a backbone, for example minilm.",
        )
    config, is_tuned = reading
    return _Chosen(config, model if is_tuned else None)


def _model(services: Services, reference: str) -> Model | None:
    with services.database.session() as session:
        try:
            return models.get(session, reference)
        except NotFoundError:
            return None


def _backbone(name: str, field: str) -> BackboneConfig:
    try:
        return BackboneConfig(id=name)
    except ValueError:
        raise invalid(("body", field), "an id of at most 200 characters", str(len(name))) from None


def _checked(services: Services, chosen: _Chosen, field: str) -> _Chosen:
    """`chosen`, once the catalogue has nothing against it."""
    try:
        services.catalog.check(chosen.config)
    except BackboneError as error:
        raise _refused(error, field) from error
    return chosen


def _refused(error: BackboneError, field: str) -> InvalidRequestError:
    """A 422 at the request's own field: the library names those of a config block."""
    names: dict[str | int, str] = {"layers": "layer", "pooling": "pooling"}
    inner = next((names[part] for part in error.loc if part in names), field)
    loc: Location = ("body", inner)
    return InvalidRequestError.of(
        [field_error(loc, BackboneError((), error.expected, error.found, error.hint))]
    )


def _written(vectors: Vectors, encoding: EncodingFormat) -> Iterator[Vectors | str]:
    """Vectors (n, D) as they stand in the answer."""
    if encoding == "float":
        return iter(vectors)
    return (base64.b64encode(vector.astype("<f4").tobytes()).decode() for vector in vectors)
