"""From texts to the answer of `POST /classify`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from fastapi.concurrency import run_in_threadpool
from starlette.responses import Response

from api.backing import backing
from api.errors import invalid
from api.json_answers import json_answer
from api.painting import painted
from api.references import model_in_body
from api.saliency import check_explained
from api.schemas.classify import ClassifyRequest
from api.services import Services
from api.texts import texts_of
from db.tables import Model
from sip_model.experiments.evidence import EVIDENCE_FILE

if TYPE_CHECKING:
    from sip_model.inference.distributions import Distributions

MAX_CHARACTERS = 2_500_000
"""Of all texts of a request: they are read to their ends, and others wait."""
MAX_PAINTED_CHARACTERS = 100_000
"""Of all texts whose spans are asked for: every token is in the answer, and has a score for every source."""

Row = npt.NDArray[np.float64]


async def classify(services: Services, request: ClassifyRequest) -> Response:
    """The source distribution of every text of the request.

    Raises:
        NoSuchResourceError: there is no such model.
        InvalidRequestError: too much text, or the model has no evidence, sets or spans or can't be explained.
    """
    texts = texts_of(services, request.input)
    num_characters = sum(map(len, texts))
    if num_characters > MAX_CHARACTERS:
        expected = f"at most {MAX_CHARACTERS} characters in all"
        raise invalid(("body", "input"), expected, str(num_characters), "Send them in several requests.")
    if request.level == "token" and num_characters > MAX_PAINTED_CHARACTERS:
        expected = f"at most {MAX_PAINTED_CHARACTERS} characters in all with level token"
        raise invalid(("body", "input"), expected, str(num_characters), "Send them in several requests.")
    model = await run_in_threadpool(_model, services, request.model)
    if request.evidence and EVIDENCE_FILE not in model.files:
        hint = "It was trained with evidence.keep false, or its dataset has been deleted."
        expected = "0, since this model keeps no passages"
        raise invalid(("body", "evidence"), expected, str(request.evidence), hint)
    if request.explain:
        check_explained(texts)
    found = await services.engine.classify(
        model,
        texts,
        request.unknown_prior,
        evidence=request.evidence,
        coverage=request.coverage,
        spans=request.level == "token",
        explain=request.explain,
    )
    return await run_in_threadpool(_response, model, texts, found, request.top_k, request.min_probability)


def _model(services: Services, reference: str) -> Model:
    with services.database.session() as session:
        return model_in_body(session, reference)


def _response(
    model: Model, texts: Sequence[str], found: "Distributions", top_k: int, min_probability: float
) -> Response:
    """`ClassifyResponse` as JSON."""
    results = [
        classification(
            index,
            model.sources,
            found.probabilities[index],
            found.scores[index],
            float(found.unknown[index]),
            bool(found.known[index]),
            bool(found.truncated[index]),
            top_k,
            min_probability,
        )
        | backing(model.sources, found, index, text)
        for index, text in enumerate(texts)
    ]
    if found.paintings is not None:
        for result, text, painting in zip(results, texts, found.paintings, strict=True):
            result |= painted(model.sources, text, painting)
    return json_answer(
        {
            "model": {"id": model.id, "name": model.name, "version": model.version},
            "results": results,
            "usage": {"texts": len(results), "tokens": found.num_tokens},
        }
    )


def classification(
    index: int,
    sources: list[str],
    probabilities: Row,
    scores: Row,
    unknown: float,
    known: bool,
    truncated: bool,
    top_k: int,
    min_probability: float,
) -> dict[str, Any]:
    """One text's answer, as :class:`api.schemas.classify.Classification` describes it.

    Args:
        probabilities: (C,) float64; with `unknown` they sum to 1.
        scores: (C,) one-versus-all sigmoids.
        known: whether `unknown` is below the model's operating point.
        top_k: sources listed at most.
        min_probability: sources below it are not listed.
    """
    # a stable order, so that equal probabilities are always listed alike
    best = np.argsort(-probabilities, kind="stable")[:top_k]
    best = best[probabilities[best] >= min_probability]
    is_listed = np.zeros(len(probabilities), bool)
    is_listed[best] = True
    return {
        "index": index,
        "distribution": [
            {
                "source": sources[number],
                "source_id": number,
                "probability": float(probabilities[number]),
                "score": float(scores[number]),
            }
            for number in best.tolist()
        ],
        "unknown": unknown,
        "other": float(probabilities[~is_listed].sum()),
        "known": known,
        "entropy": entropy_bits(np.append(probabilities, unknown)),
        "truncated": truncated,
    }


def entropy_bits(probabilities: Row) -> float:
    """Shannon entropy of a distribution in bits; outcomes of probability 0 add nothing."""
    possible = probabilities[probabilities > 0]
    return max(0.0, float(-(possible * np.log2(possible)).sum()))
