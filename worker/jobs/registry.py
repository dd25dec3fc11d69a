"""From an experiment's kind to what it is configured with and what runs it."""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar, cast

from pydantic import TypeAdapter

from db.tables import JSONObject
from sip_model.experiments.kinds import INTERNAL_KINDS, KINDS
from worker.jobs.context import JobContext

ConfigT = TypeVar("ConfigT")


@dataclass(frozen=True, slots=True)
class Job(Generic[ConfigT]):
    """A kind of experiment: its configuration class and the function that runs it."""

    config: type[ConfigT]
    run: Callable[[JobContext[ConfigT]], None]

    def read_config(self, stored: JSONObject) -> ConfigT:
        """The stored, resolved configuration as the kind's dataclass; pydantic's `ValidationError`."""
        return TypeAdapter(self.config).validate_python(stored)


def find_job(kind: str) -> Job[object]:
    """The job of a kind: the function ``run`` of ``worker.jobs.<kind>``, imported only now; `KeyError`."""
    config = (KINDS | INTERNAL_KINDS)[kind]
    module = importlib.import_module(f"worker.jobs.{kind}")
    return Job(cast("type[object]", config), module.run)
