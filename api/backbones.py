"""The catalogue of backbones as clients see it."""

from api.errors import NoSuchResourceError
from api.listing import Page, decode_number_cursor, encode_cursor
from api.schemas.backbones import BackboneResource
from sip_model.backbones.catalog import BackboneCatalog, CatalogEntry
from sip_model.backbones.info import BackboneInfo
from sip_model.errors import BackboneError
from sip_model.experiments.config import BackboneConfig


def list_backbones(catalog: BackboneCatalog, limit: int, cursor: str | None) -> Page[BackboneResource]:
    """A page of what may be named."""
    start = decode_number_cursor(cursor) or 0
    entries = catalog.ids()
    end = start + limit
    return Page(
        data=[_entry_resource(catalog, entry) for entry in entries[start:end]],
        has_more=end < len(entries),
        next_cursor=encode_cursor(end) if end < len(entries) else None,
    )


def backbone_resource(catalog: BackboneCatalog, backbone_id: str) -> BackboneResource:
    """What is known of one backbone; raises 404 for an id that may not be named."""
    kinds = {entry.name: entry.kind for entry in catalog.ids() if entry.kind != "pattern"}
    try:
        info = catalog.check(BackboneConfig(id=backbone_id))
    except BackboneError as error:
        raise NoSuchResourceError(f"Backbone: expected {error.expected}; found {error.found}.") from error
    return _resource(backbone_id, kinds.get(backbone_id, "hub"), info)


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
