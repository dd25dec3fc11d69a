"""A key sees what its owner has made; whatever belongs to others isn't there for it."""

import asyncio
from typing import Any

import pytest

from api.dependencies import _services
from api.polling import Poll, poll_metrics
from api.schemas.metrics import metrics_json
from db import models
from db.metrics import MetricFilter
from db.models import NewModel
from db.owners import Viewer
from db.tables import Model
from tests.api.conftest import CORPUS, assert_problem
from tests.security.conftest import NAME, House

LISTS = ("/datasets", "/experiments", "/models", "/backbones", "/v1/models", "/metrics")
EVALUATE = {"kind": "evaluate", "dataset": "another"}


def operations(house: House) -> list[tuple[str, str]]:
    """Method and path of every route that names something owned, with Ann's ids filled in."""
    document = house.client.get("/openapi.json").json()
    return [
        (method.upper(), path.format(**house.owned))
        for path, methods in document["paths"].items()
        if any(f"{{{kind}}}" in path for kind in ("dataset", "experiment", "model", "backbone"))
        for method in methods
    ]


def test_whatever_names_a_thing_of_another_is_404_and_changes_nothing(house: House) -> None:
    asked = operations(house)
    assert len(asked) >= 17
    for method, path in asked:
        # with scope write a model can be neither deleted nor made the default, whosever it is
        needs_admin = method != "GET" and path.startswith("/models/")
        assert_problem(house.ask("bob", method, path), 403 if needs_admin else 404)
    for method, path in asked:
        if method == "GET" and not path.endswith("/results"):
            for who in ("ann", "reader", "admin"):
                assert house.ask(who, "GET", path).status_code != 404, (who, path)


@pytest.mark.parametrize("kind", ["dataset", "experiment", "model", "backbone"])
def test_what_is_not_there_and_what_is_another_s_look_the_same(house: House, kind: str) -> None:
    real = house.owned[kind]
    made_up = real[:-4] + "zzzz"
    answers = [house.ask("bob", "GET", f"/{kind}s/{id}") for id in (real, made_up)]
    told = [{k: v for k, v in answer.json().items() if k != "instance"} for answer in answers]
    assert told[0] == told[1]


@pytest.mark.parametrize("path", LISTS)
def test_lists_hold_what_one_owns(house: House, path: str) -> None:
    ids = set(house.owned.values()) - {"left.json"}

    def found(who: str, **query: str) -> bool:
        return any(id in house.ask(who, "GET", path, params=query).text for id in ids)

    assert not found("bob")
    assert [found(who) for who in ("ann", "reader", "admin")] == [True] * 3
    if path == "/experiments":
        assert not found("bob", dataset=NAME)
        assert not found("bob", dataset=house.owned["dataset"])
        assert not found("bob", name=NAME)
    if path == "/metrics":
        for latest in ("true", "false"):
            assert not found("bob", experiment=house.owned["experiment"], latest=latest)
            assert not found("bob", dataset=house.owned["dataset"], latest=latest)
            assert not found("bob", dataset=NAME, latest=latest)


def test_curves_of_another_s_experiments_are_those_of_nothing(house: House) -> None:
    for who, seen in (("bob", 0), ("ann", 1)):
        answer = house.ask(who, "GET", "/metrics/curves", params={"experiment": house.owned["experiment"]})
        assert int(answer.json()["next_since"] > 0) == seen


def test_a_wait_for_another_s_metrics_ends_at_once_as_for_those_of_nothing(house: House) -> None:
    query = {"experiment": house.owned["experiment"], "wait": "25"}
    response = house.ask("bob", "GET", "/metrics", params=query)
    assert response.json()["data"] == []
    assert response.elapsed.total_seconds() < 10


def test_two_who_ask_alike_at_once_do_not_share_an_answer(house: House) -> None:
    services: Any = house.client.app.state.services  # type: ignore[attr-defined]  # Starlette's, untyped
    poll = Poll(MetricFilter(names=("eval/*",)), 0, 10, False, 0.0, metrics_json)
    seen = [services.seen_by(Viewer(house.key_ids[who], sees_all=False)) for who in ("bob", "ann")]

    async def ask() -> list[int]:
        answers = await asyncio.gather(*(poll_metrics(each, poll) for each in seen))
        return [len(answer.page.rows) for answer in answers]

    assert asyncio.run(ask()) == [0, 1]


def test_names_are_one_s_own(house: House) -> None:
    upload = {"data": {"name": NAME}, "files": {"file": ("t.jsonl", CORPUS)}}
    made = house.ask("bob", "POST", "/datasets", **upload)
    assert made.status_code == 201
    try:
        assert_problem(house.ask("bob", "POST", "/datasets", **upload), 409)
        for who, id in (("bob", made.json()["id"]), ("ann", house.owned["dataset"])):
            assert house.ask(who, "GET", f"/datasets/{NAME}").json()["id"] == id
            assert [row["id"] for row in house.ask(who, "GET", "/datasets").json()["data"]] == [id]
        body = {"kind": "train", "dataset": NAME}
        queued = house.ask("bob", "POST", "/experiments", json=body).json()
        assert queued["dataset"] == made.json()["id"]
        assert house.ask("bob", "POST", f"/experiments/{queued['id']}/cancel").status_code == 202
        assert house.ask("bob", "DELETE", f"/experiments/{queued['id']}").status_code == 204
    finally:
        assert house.ask("bob", "DELETE", f"/datasets/{NAME}").status_code == 204
    assert house.ask("ann", "GET", f"/datasets/{NAME}").status_code == 200


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/experiments", {"kind": "train", "dataset": "{dataset}"}, 404),
        ("/experiments", {"kind": "train", "dataset": NAME}, 404),
        ("/experiments", {"kind": "suite", "config": {"suite": {"datasets": ["{dataset}"]}}}, 404),
        ("/classify", {"input": "x", "model": "{model}"}, 404),
        ("/classify", {"input": "x", "model": NAME}, 404),
        ("/classify", {"input": "x", "model": f"{NAME}@1"}, 404),
        ("/embed", {"input": "x", "model": "{model}"}, 404),
        ("/embed", {"input": "x", "backbone": "{backbone}"}, 422),
        ("/v1/embeddings", {"input": "x", "model": "{model}"}, 422),
        ("/v1/embeddings", {"input": "x", "model": "{backbone}"}, 422),
    ],
)
def test_a_body_that_names_a_thing_of_another_is_answered_as_if_it_were_not_there(
    house: House, path: str, body: dict[str, Any], status: int
) -> None:
    assert_problem(house.ask("bob", "POST", path, json=_filled(body, house.owned)), status)


def _filled(value: Any, owned: dict[str, str]) -> Any:
    match value:
        case str():
            return value.format(**owned)
        case list():
            return [_filled(item, owned) for item in value]
        case dict():
            return {key: _filled(item, owned) for key, item in value.items()}
        case _:
            return value


def test_experiments_may_name_no_model_and_no_backbone_of_another(house: House) -> None:
    upload = {"data": {"name": "another"}, "files": {"file": ("t.jsonl", CORPUS)}}
    assert house.ask("bob", "POST", "/datasets", **upload).status_code == 201
    try:
        for model in (house.owned["model"], NAME):
            body = {"kind": "evaluate", "dataset": "another", "config": {"evaluate": {"model": model}}}
            assert_problem(house.ask("bob", "POST", "/experiments", json=body), 404)
        for backbone in (house.owned["backbone"],):
            body = {"kind": "train", "dataset": "another", "config": {"backbone": {"id": backbone}}}
            assert_problem(house.ask("bob", "POST", "/experiments", json=body), 422)
    finally:
        assert house.ask("bob", "DELETE", "/datasets/another").status_code == 204


def test_the_default_is_an_admin_s_to_choose_and_all_may_use_it(house: House) -> None:
    assert_problem(house.ask("ann", "GET", "/models/default"), 404)  # hers is the first, and not for all
    body = {"kind": "train", "dataset": house.owned["dataset"]}
    experiment = house.ask("admin", "POST", "/experiments", json=body).json()["id"]
    new = NewModel(
        id=models.new_model_id(), name="for all", storage_key="models/x", files={}, card={}, sources=["a"]
    )
    with house.database.session() as session:
        assert models.publish(session, new, experiment_id=experiment, dataset_id=None).is_default
    try:
        assert house.ask("bob", "GET", "/models/default").json()["id"] == new.id
        assert_problem(house.ask("bob", "GET", f"/models/{new.id}"), 404)
        assert new.id not in house.ask("bob", "GET", "/models").text
    finally:
        with house.database.session() as session:
            session.delete(session.get_one(Model, new.id))
        house.ask("admin", "POST", f"/experiments/{experiment}/cancel")
        house.ask("admin", "DELETE", f"/experiments/{experiment}")


def test_where_keys_are_asked_for_no_route_sees_anything_without_one(house: House) -> None:
    class Bare:
        app = house.client.app

        class state:  # noqa: N801 - as a request has it
            pass

    with pytest.raises(AttributeError, match="holder"):
        _services(Bare())  # type: ignore[arg-type]  # a request that no key has come with
