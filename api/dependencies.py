"""What routes declare as arguments."""

from collections.abc import Iterator
from typing import Annotated, cast

from fastapi import Depends, Path, Request
from pydantic import AfterValidator
from sqlalchemy.orm import Session

from api.keys import Holder
from api.quotas import TextQuota
from api.schemas.fields import check_storable
from api.services import Services


def _services(request: Request) -> Services:
    services = cast(Services, request.app.state.services)
    if services.keys is None:
        return services
    return services.seen_by(cast(Holder, request.state.holder).viewer)


ServicesDep = Annotated[Services, Depends(_services)]


def _text_quota(request: Request, services: ServicesDep) -> TextQuota:
    return TextQuota(services.quotas, getattr(request.state, "holder", None))


TextQuotaDep = Annotated[TextQuota, Depends(_text_quota)]


def _session(services: ServicesDep) -> Iterator[Session]:
    with services.database.session() as session:
        yield session


# Scope "function": the commit happens before the response is sent, and its failure is the answer.
SessionDep = Annotated[Session, Depends(_session, scope="function")]

DatasetPath = Annotated[
    str,
    Path(description="Id or name of the dataset.", max_length=420, examples=["python-docs"]),
    AfterValidator(check_storable),
]
ExperimentPath = Annotated[
    str, Path(description="Id of the experiment.", max_length=100), AfterValidator(check_storable)
]
ModelPath = Annotated[
    str,
    Path(description="Id, name, `name@version` or `default`.", max_length=420, examples=["default"]),
    AfterValidator(check_storable),
]
