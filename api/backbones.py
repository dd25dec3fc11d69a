"""The catalogue of backbones as clients see it."""

from api.errors import NoSuchResourceError, StateConflictError
from api.listing import Page, decode_number_cursor, encode_cursor
from api.schemas.backbones import BackboneResource
from api.services import Services
from db import backbones
from db.tables import Backbone
from sip_model.backbones.catalog import BackboneCatalog, CatalogEntry, is_own
from sip_model.backbones.info import BackboneInfo
from sip_model.errors import BackboneError
from sip_model.experiments.config import BackboneConfig


def list_backbones(services: Services, limit: int, cursor: str | None) -> Page[BackboneResource]:
    """A page of what may be named: the catalogue, then what was trained here, oldest first."""
    start = decode_number_cursor(cursor) or 0
    entries = services.catalog.ids()
    end = start + limit
    data = [_entry_resource(services.catalog, entry) for entry in entries[start:end]]
    with services.database.session() as session:
        total = len(entries) + backbones.count(session)
        offset = max(0, start - len(entries))
        rows = backbones.listed(session, limit=limit - len(data), offset=offset)
        data += [_own_resource(row) for row in rows]
    return Page(
        data=data,
        has_more=end < total,
        next_cursor=encode_cursor(end) if end < total else None,
    )


def backbone_resource(services: Services, backbone_id: str) -> BackboneResource:
    """What is known of one backbone; raises 404 for an id that may not be named."""
    if is_own(backbone_id):
        with services.database.session() as session:
            return _own_resource(backbones.get(session, backbone_id))
    catalog = services.catalog
    kinds = {entry.name: entry.kind for entry in catalog.ids() if entry.kind != "pattern"}
    try:
        info = catalog.check(BackboneConfig(id=backbone_id))
    except BackboneError as error:
        raise NoSuchResourceError(f"Backbone: expected {error.expected}; found {error.found}.") from error
    return _resource(backbone_id, kinds.get(backbone_id, "hub"), info)


def delete_backbone(services: Services, backbone_id: str) -> None:
    """Delete the row of one that was trained here, then, once that is committed, its files.

    Raises:
        NoSuchResourceError: an id that may not be named.
        StateConflictError: it wasn't trained here.
        NotFoundError: there is no such one, `ConflictError` while a model or an experiment uses it.
    """
    if not is_own(backbone_id):
        backbone_resource(services, backbone_id)
        raise StateConflictError("Only backbones that were trained here (bb_…) can be deleted.")
    with services.database.session() as session:
        storage_key = backbones.delete(session, backbone_id)
    services.engine.loading.forget_backbone(backbone_id)
    services.store.delete_prefix(storage_key)


def _entry_resource(catalog: BackboneCatalog, entry: CatalogEntry) -> BackboneResource:
    if entry.kind == "pattern":
        return _resource(entry.name, "pattern", None)
    try:
        return _resource(entry.name, entry.kind, catalog.check(BackboneConfig(id=entry.name)))
    except BackboneError:  # not installed, or a folder that can't be read: listed, but nothing is known of it
        return _resource(entry.name, entry.kind, None)


def _resource(name: str, kind: str, info: BackboneInfo | None) -> BackboneResource:
    return BackboneResource.model_validate(
        {
            "id": name,
            "kind": kind,
            "revision": info and info.revision,
            "family": info and info.family,
            "is_causal": None if info is None else info.is_causal,
            "num_layers": info and info.num_layers,
            "hidden_size": info and info.hidden_size,
            "max_tokens": info and info.max_tokens,
            "poolings": None if info is None else list(info.poolings),
        }
    )


def _own_resource(row: Backbone) -> BackboneResource:
    return BackboneResource.model_validate(
        {
            "id": row.id,
            "kind": "own",
            "revision": row.sha256,
            "family": row.family,
            "is_causal": row.is_causal,
            "num_layers": row.num_layers,
            "hidden_size": row.hidden_size,
            "max_tokens": row.max_tokens,
            "poolings": row.poolings,
            "name": row.name,
            "experiment": row.experiment_id,
            "dataset": row.dataset_id,
            "num_bytes": row.num_bytes,
            "card": row.card,
            "created_at": row.created_at,
        }
    )
