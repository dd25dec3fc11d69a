"""What can go wrong between the service and what it keeps: rows, files, servers."""


class StoreError(Exception):
    """Base of this package's errors."""


class SettingsError(StoreError):
    """A setting that is needed here was not given."""

    def __init__(self, variable: str, expected: str) -> None:
        super().__init__(
            f"{variable}: expected {expected}; found nothing. "
            "Set it, or use `sip serve`, which starts its own servers"
        )


class DeviceError(StoreError):
    """The device that was named isn't there."""

    def __init__(self, wanted: str, num_gpus: int) -> None:
        super().__init__(f"SIP_DEVICE: expected one of the {num_gpus} GPU(s) of this machine; found {wanted}")


class NotFoundError(StoreError):
    """No row answers to this reference.

    Args:
        resource: what was looked for, for example ``dataset``.
        reference: the id or name asked for. It is kept apart from the message, which never echoes it.
    """

    def __init__(self, resource: str, reference: str) -> None:
        self.resource = resource
        self.reference = reference
        super().__init__(f"no {resource} has this id or name")


class ConflictError(StoreError):
    """The row's present state doesn't allow what was asked; the message says which state and what to do."""


class StaleClaimError(StoreError):
    """This attempt no longer owns its experiment: its lease ran out, or the experiment is being cancelled."""

    def __init__(self, experiment_id: str, attempt: int) -> None:
        self.experiment_id = experiment_id
        self.attempt = attempt
        super().__init__(f"{experiment_id}: attempt {attempt} lost its claim; its work is dropped")

    def __reduce__(self) -> tuple[type["StaleClaimError"], tuple[str, int]]:
        return type(self), (self.experiment_id, self.attempt)


class DatabaseUnavailableError(StoreError):
    """The database doesn't answer, cut the connection, or took too long; trying again later may work."""


class SchemaError(StoreError):
    """The database's schema isn't the one this version works with."""


class StorageError(StoreError):
    """A stored file is missing, damaged or can't be read."""


class StorageUnavailableError(StorageError):
    """The object store doesn't answer, or refuses us; trying again later may work."""


class EmbeddedServerError(StoreError):
    """An embedded server can't be started here; the message says why and what to do."""
