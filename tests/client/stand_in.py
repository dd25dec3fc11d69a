"""A small service that answers as API.md says, from memory, with an experiment that moves at every poll."""

import json
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

WHEN = "2026-01-02T03:04:05Z"
LOSSES = (2.0, 1.0, 0.5)
FINAL_METRICS = {
    "eval/accuracy": 0.64,
    "eval/top5_accuracy": 0.9,
    "eval/macro_f1": 0.61,
    "eval/ece": 0.03,
    "baseline/lexical_accuracy": 0.5,
}


def problem(status: int, title: str, detail: str, errors: list[dict[str, Any]] | None = None) -> Response:
    body = {"type": "/problems/x", "title": title, "status": status, "detail": detail, "instance": "req-1"}
    if errors is not None:
        body["errors"] = errors
    headers = {"X-Request-ID": "req-1"} | ({"Retry-After": "7"} if status == 503 else {})
    return Response(
        json.dumps(body), status_code=status, media_type="application/problem+json", headers=headers
    )


def page(items: list[Any], request: Request) -> Response:
    start = int(request.query_params.get("cursor", 0))
    limit = int(request.query_params.get("limit", 50))
    end = start + limit
    more = end < len(items)
    return JSONResponse(
        {"data": items[start:end], "has_more": more, "next_cursor": str(end) if more else None}
    )


def _backing(body: dict[str, Any]) -> dict[str, Any]:
    """What an answer rests on, as far as it was asked for."""
    found: dict[str, Any] = {}
    if "coverage" in body:
        found["conformal_set"] = [
            {"source": "source 1", "source_id": 1},
            {"source": "source 2", "source_id": 2},
        ]
    if body.get("level") == "token":
        first = {"start": 0, "end": 1, "source": "source 1", "probability": 0.9}
        second = {"start": 2, "end": 6, "source": None, "probability": 0.6}
        found["spans"] = [first | {"source_id": 1}, second | {"source_id": None}]
        found["tokens"] = [first | {"text": "a"}, second | {"text": "text"}]
    if body.get("evidence"):
        span = {"start": 0, "end": 5, "document_start": 10, "document_end": 15, "words": 3}
        passage = {"source": "source 1", "source_id": 1, "sources": ["source 1"], "document": "book 1"}
        found["evidence"] = [
            passage | {"start": 10, "end": 40, "text": "a [b] c d", "similarity": 0.5, "shared": [span]}
        ]
    if body.get("explain"):
        token = {"gradient": 0.1, "channels": -0.1}
        found["saliency"] = [
            {"text": "a", "start": 0, "end": 1, "weight": -0.25} | token,
            {"text": "[b]", "start": 2, "end": 5, "weight": 1.5} | token,
        ]
    return found


def _is_import(body: dict[str, Any]) -> bool:
    return "builtin" not in body.get("from", {"builtin": None})


@dataclass
class StandIn:
    """The service's memory, open to a test's eyes; `app()` serves it."""

    datasets: dict[str, dict[str, Any]] = field(default_factory=dict)
    experiments: list[dict[str, Any]] = field(default_factory=list)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    queries: list[list[tuple[str, str]]] = field(default_factory=list)
    ends_as: str = "succeeded"
    num_sources: int = 60
    steps: int = 0

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/datasets", self.post_dataset, methods=["POST"]),
                Route("/datasets", self.list_datasets),
                Route("/datasets/{name:path}/sources", self.list_sources),
                Route("/datasets/{name}", self.get_dataset),
                Route("/datasets/{name}", self.delete_dataset, methods=["DELETE"]),
                Route("/experiments", self.post_experiment, methods=["POST"]),
                Route("/experiments", self.list_experiments),
                Route("/experiments/{id}", self.get_experiment),
                Route("/experiments/{id}/cancel", self.cancel, methods=["POST"]),
                Route("/experiments/{id}/retry", self.retry, methods=["POST"]),
                Route("/experiments/{id}/log", self.log),
                Route("/experiments/{id}/results", self.results),
                Route("/experiments/{id}/report", self.report),
                Route("/experiments/{id}/artifacts/{name}", self.artifact),
                Route("/metrics", self.metrics),
                Route("/models", self.list_models),
                Route("/models/{id}", self.get_model),
                Route("/models/{id}/default", self.get_model, methods=["POST"]),
                Route("/models/{name:path}/sources", self.list_sources),
                Route("/classify", self.classify, methods=["POST"]),
                Route("/embed", self.embed, methods=["POST"]),
                Route("/health/ready", self.ready),
                Route("/health/live", self.ready),
                Route("/not-json", self.not_json),
            ]
        )

    async def post_dataset(self, request: Request) -> Response:
        self.headers.append(dict(request.headers))
        if request.headers["content-type"].startswith("multipart/"):
            async with request.form() as form:
                file = form["file"]
                assert not isinstance(file, str)
                text = (await file.read()).decode()
                name = str(form["name"])
                self.bodies.append({"name": name, "filename": file.filename, "format": form.get("format")})
        else:
            body = await request.json()
            self.bodies.append(body)
            name, text = body["name"], "{}\n"
        if name in self.datasets:
            return problem(409, "Conflict", f"a dataset named {name!r} exists")
        if "broken" in text:
            loc = ["body", "file", "line 2", "source"]
            return problem(
                422,
                "Invalid corpus",
                "line 2 can't be used",
                [{"loc": loc, "msg": "expected a name; found null", "type": "corpus"}],
            )
        imported = self._begin_import(name) if _is_import(self.bodies[-1]) else None
        dataset = {
            "id": f"ds_{len(self.datasets)}",
            "name": name,
            "status": "importing" if imported else "ready",
            "experiment": imported,
            "error": None,
            "format": "jsonl",
            "num_documents": text.count("\n"),
            "num_sources": self.num_sources,
            "num_bytes": len(text),
            "sha256": "0" * 64,
            "created_at": WHEN,
        }
        self.datasets[name] = dataset
        return JSONResponse(dataset, status_code=202 if imported else 201)

    def _begin_import(self, name: str) -> str:
        self.steps = 0
        return str(self._queue({"kind": "ingest", "name": name, "dataset": name})["id"])

    async def list_datasets(self, request: Request) -> Response:
        return page(list(self.datasets.values()), request)

    async def list_sources(self, request: Request) -> Response:
        items = [
            {"number": i, "name": f"source {i}", "author": None, "num_documents": 3, "num_words": 900}
            for i in range(1200)
        ]
        return page(items, request)

    async def get_dataset(self, request: Request) -> Response:
        reference = request.path_params["name"]
        dataset = next((d for d in self.datasets.values() if reference in (d["id"], d["name"])), None)
        return JSONResponse(dataset) if dataset else problem(404, "Not found", "no such dataset")

    async def delete_dataset(self, request: Request) -> Response:
        self.datasets.pop(request.path_params["name"])
        return Response(status_code=204)

    async def post_experiment(self, request: Request) -> Response:
        self.headers.append(dict(request.headers))
        body = await request.json()
        self.bodies.append(body)
        self.steps = 0
        experiment = self._queue(body)
        return JSONResponse(
            experiment, status_code=202, headers={"Location": f"/experiments/{experiment['id']}"}
        )

    def _queue(self, body: dict[str, Any]) -> dict[str, Any]:
        experiment = {
            "id": f"exp_{len(self.experiments)}",
            "kind": body["kind"],
            "name": body.get("name"),
            "status": "queued",
            "dataset": body.get("dataset"),
            "model": None,
            "backbone": "minilm",
            "config": body.get("config", {}),
            "seed": body.get("seed", 0),
            "progress": {"phase": None, "done": None, "total": None, "unit": None, "eta_seconds": None},
            "metrics": {},
            "error": None,
            "attempt": 0,
            "artifacts": [],
            "created_at": WHEN,
            "started_at": None,
            "finished_at": None,
        }
        self.experiments.append(experiment)
        return experiment

    async def list_experiments(self, request: Request) -> Response:
        self.queries.append(request.query_params.multi_items())
        return page(self.experiments, request)

    async def get_experiment(self, request: Request) -> Response:
        experiment = next((e for e in self.experiments if e["id"] == request.path_params["id"]), None)
        if experiment is None:
            return problem(404, "Not found", "no such experiment")
        if experiment["status"] == "running" and self.steps >= len(LOSSES):
            experiment["status"] = self.ends_as
            if experiment["kind"] == "ingest":
                self._end_import(experiment["dataset"])
            elif self.ends_as == "succeeded":
                experiment |= {"model": "mdl_0", "metrics": FINAL_METRICS}
            if self.ends_as == "failed":
                experiment["error"] = {
                    "type": "CorpusError",
                    "message": "sources: expected 2 or more; found 1",
                }
        elif experiment["status"] in ("queued", "running"):
            experiment["status"] = "running"
            experiment["progress"] = {
                "phase": "training",
                "done": self.steps,
                "total": len(LOSSES),
                "unit": "epochs",
                "eta_seconds": 2.0,
            }
        return JSONResponse(experiment)

    def _end_import(self, name: str) -> None:
        if self.ends_as == "succeeded":
            self.datasets[name] |= {"status": "ready", "num_documents": 4}
        else:
            error = {"type": "CorpusError", "message": "line 3: expected a JSON object"}
            self.datasets[name] |= {"status": "failed", "error": error}

    async def cancel(self, request: Request) -> Response:
        experiment = next(e for e in self.experiments if e["id"] == request.path_params["id"])
        experiment["status"] = "cancelled"
        return JSONResponse(experiment, status_code=202)

    async def log(self, request: Request) -> Response:
        lines = [
            {"id": 3, "recorded_at": WHEN, "attempt": 0, "level": "info", "message": "accepted"},
            {"id": 7, "recorded_at": WHEN, "attempt": 1, "level": "warning", "message": "2 [of] 3 left out"},
        ]
        found = [line for line in lines if line["id"] > int(request.query_params["since"])]  # type: ignore[operator]  # JSON, whose ids are numbers
        page = found[: int(request.query_params["limit"])]
        return JSONResponse(
            {"data": page, "next_since": page[-1]["id"] if page else 7, "has_more": len(page) < len(found)}
        )

    async def retry(self, request: Request) -> Response:
        experiment = next(e for e in self.experiments if e["id"] == request.path_params["id"])
        experiment |= {"status": "queued", "error": None}
        self.steps, self.ends_as = 0, "succeeded"
        return JSONResponse(experiment, status_code=202)

    async def results(self, request: Request) -> Response:
        if request.query_params.get("format") == "csv":
            return Response("document,source\nd,a\n", media_type="text/csv")
        return page([{"document": "d", "start": 0, "end": 5, "source": "a"}], request)

    async def report(self, request: Request) -> Response:
        if request.path_params["id"] == "exp_9":
            return problem(404, "Not found", "no such experiment")
        return Response("<!DOCTYPE html><title>exp_0</title>", media_type="text/html")

    async def artifact(self, request: Request) -> Response:
        if request.path_params["name"] == "unseen.jsonl":
            row = {"text": "an unseen passage", "source": "source 1", "document": "d"}
            return Response("".join(json.dumps(row) + "\n" for _ in range(5)), media_type="application/jsonl")
        return problem(404, "Not found", "no such artifact")

    async def metrics(self, request: Request) -> Response:
        self.queries.append(request.query_params.multi_items())
        since = int(request.query_params.get("since", 0))
        if self.experiments and self.experiments[-1]["status"] == "running":
            self.steps = min(self.steps + 1, len(LOSSES))
        rows = [
            {
                "experiment": "exp_0",
                "name": "train/loss",
                "value": LOSSES[step],
                "step": step,
                "split": "train",
                "layer": None,
                "seed": 0,
                "backbone": "minilm",
                "dataset": "ds_0",
                "recorded_at": WHEN,
            }
            for step in range(since, self.steps)
        ]
        return JSONResponse({"data": rows, "next_since": self.steps, "has_more": False})

    def model(self) -> dict[str, Any]:
        return {
            "id": "mdl_0",
            "name": "stand-in",
            "version": 1,
            "num_sources": self.num_sources,
            "num_bytes": 1 << 20,
            "sha256": "1" * 64,
            "is_default": True,
            "experiment": "exp_0",
            "dataset": "ds_0",
            "created_at": WHEN,
        }

    async def list_models(self, request: Request) -> Response:
        return page([self.model()], request)

    async def get_model(self, request: Request) -> Response:
        return JSONResponse(self.model())

    async def classify(self, request: Request) -> Response:
        body = await request.json()
        self.bodies.append(body)
        texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
        for index, text in enumerate(texts):
            if not text.strip():
                error = {
                    "loc": ["body", "input", index],
                    "msg": "expected a text; found blank",
                    "type": "value",
                }
                return problem(422, "Invalid request", "1 field can't be used", [error])
        results = [
            {
                "index": index,
                "distribution": [
                    {"source": "source 1", "source_id": 1, "probability": 0.7, "score": 0.9},
                    {"source": "source 2", "source_id": 2, "probability": 0.1, "score": 0.2},
                ],
                "unknown": 0.15,
                "other": 0.05,
                "known": True,
                "entropy": 1.2,
                "truncated": False,
                "windows": [],
                "warnings": [{"code": "short_text", "message": "1 words; the shortest has 16."}],
            }
            | _backing(body)
            for index in range(len(texts))
        ]
        return JSONResponse(
            {
                "model": {"id": "mdl_0", "name": "stand-in", "version": 1},
                "results": results,
                "usage": {"texts": len(texts), "tokens": 10},
            }
        )

    async def embed(self, request: Request) -> Response:
        body = await request.json()
        texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
        return JSONResponse(
            {
                "data": [{"index": i, "embedding": [0.6, 0.8]} for i in range(len(texts))],
                "model": "minilm",
                "dimensions": 2,
                "usage": {"texts": len(texts), "tokens": 10},
            }
        )

    async def ready(self, request: Request) -> Response:
        return JSONResponse({"status": "ok", "checks": {"database": {"status": "ok"}}})

    async def not_json(self, request: Request) -> Response:
        return Response("<html>a proxy's page</html>", media_type="text/html")
