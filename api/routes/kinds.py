"""`/kinds`."""

from fastapi import APIRouter

from api.experiment_config import describe_kind
from api.openapi import errors
from api.schemas.kinds import KindResource, Kinds
from sip_model.experiments.kinds import KINDS

router = APIRouter(prefix="/kinds", tags=["experiments"])


@router.get("", summary="List the kinds of experiments", responses=errors())
def get_kinds() -> Kinds:
    """Every kind with the JSON Schema of its configuration and all defaults, for forms and editors."""
    return Kinds(data=[KindResource(kind=kind, **describe_kind(kind)._asdict()) for kind in KINDS])
