"""One service that asks for keys, with two tenants, for all tests of this folder."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from db import backbones, claims, keys, models
from db.backbones import Description, NewBackbone
from db.claims import NewArtifact
from db.embedded import ServerUrls
from db.key_secret import key_secret
from db.keys import Scope, Terms
from db.metrics import NewMetric
from db.models import NewModel
from db.session import Database
from db.settings import Settings
from db.storage import ArtifactStore
from tests.api.conftest import BASE_URL, upload
from tests.conftest import migrated_database

NAME = "tales"
"""Of whatever Ann owns."""
SMALL = {"max_body_bytes": 64 * 1024, "max_upload_bytes": 256 * 1024, "max_texts": 8}
DESCRIPTION = Description(
    family="gpt_neox", is_causal=True, num_layers=3, hidden_size=32, max_tokens=128, poolings=("mean",)
)


@dataclass(frozen=True)
class House:
    """The service, and who comes to its door."""

    client: TestClient
    database: Database
    settings: Settings
    headers: dict[str, dict[str, str]]
    """Of requests by ann and bob (who may write), reader (who shares with ann), admin, and nobody."""
    key_ids: dict[str, str]
    owned: dict[str, str] = field(default_factory=dict)
    """What Ann owns: kind of resource → id."""

    def ask(self, who: str, method: str, path: str, **request: Any) -> Any:
        """A request by `who`, whose own headers go with the key's."""
        headers = self.headers[who] | request.pop("headers", {})
        return self.client.request(method, path, headers=headers, **request)


@pytest.fixture(scope="session")
def house(
    servers: ServerUrls, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    """A service with small limits; what Ann owns is made as finished experiments make it."""
    folder = tmp_path_factory.mktemp("house")
    with migrated_database(servers, template_database) as url:
        settings = Settings.model_validate(
            {
                "data_dir": folder / "data",
                "database_url": url,
                "broker_url": servers.broker_url,
                "device": "cpu",
                "require_keys": True,
                **SMALL,
            }
        )
        app = create_app(settings)
        with (
            closing(Database(url)) as database,
            TestClient(app, base_url=BASE_URL, raise_server_exceptions=False) as client,
        ):
            house = House(client, database, settings, *_keys(database, settings))
            _give_ann(house, folder)
            yield house


def _keys(database: Database, settings: Settings) -> tuple[dict[str, dict[str, str]], dict[str, str]]:
    headers: dict[str, dict[str, str]] = {"nobody": {}}
    ids: dict[str, str] = {}
    with database.session() as session:
        for name, scope in (("ann", Scope.WRITE), ("bob", Scope.WRITE), ("admin", Scope.ADMIN)):
            new = keys.create(session, key_secret(settings), name, [scope])
            headers[name], ids[name] = {"Authorization": f"Bearer {new.secret}"}, new.id
        shared = Terms(shares_with=ids["ann"])
        new = keys.create(session, key_secret(settings), "reader", [Scope.READ], terms=shared)
        headers["reader"], ids["reader"] = {"Authorization": f"Bearer {new.secret}"}, new.id
    return headers, ids


def _give_ann(house: House, folder: Path) -> None:
    house.client.headers.update(house.headers["ann"])
    house.owned["dataset"] = upload(house.client, NAME)["id"]
    del house.client.headers["Authorization"]
    body = {"kind": "train", "name": NAME, "dataset": NAME}
    made = house.ask("ann", "POST", "/experiments", json=body).json()
    house.owned["experiment"] = made["id"]
    store = ArtifactStore.from_settings(house.settings)
    with house.database.session() as session:
        claim = claims.claim(session, made["id"], "w", 60)
    assert claim is not None
    left = folder / "left"
    left.mkdir()
    (left / "model.json").write_text("{}")
    stored = store.put_file(f"{claim.artifacts_prefix}/left.json", left / "model.json")
    model = NewModel(
        id=models.new_model_id(),
        name=NAME,
        storage_key=claim.model_prefix,
        files=store.put_folder(claim.model_prefix, left),
        card={},
        sources=["sea", "mountain"],
    )
    backbone = NewBackbone(
        id=backbones.new_backbone_id(),
        name=NAME,
        storage_key=claim.backbone_prefix,
        files=store.put_folder(claim.backbone_prefix, left),
        description=DESCRIPTION,
        card={},
    )
    with house.database.session() as session:
        values = [NewMetric(name="eval/accuracy", value=0.5)]
        claims.record(session, claim, progress=None, new_metrics=values, dataset=NAME)
        artifact = NewArtifact(name="left.json", media_type="application/json", stored=stored)
        claims.succeed(session, claim, artifacts=[artifact], model=model, backbone=backbone)
    house.owned.update(model=model.id, backbone=backbone.id, name="left.json")
