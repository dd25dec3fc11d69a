"""The server's secret that keys are hashed under: a setting, or a file of the data folder."""

import os
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path

from db.errors import SettingsError
from db.settings import Settings

_NUM_BYTES = 32


def key_secret(settings: Settings) -> bytes:
    """The secret; without `settings.key_secret` the file ``key.secret`` is read, or made when missing.

    Raises:
        SettingsError: the file is there but holds too little.
    """
    if settings.key_secret is not None:
        return settings.key_secret.get_secret_value().encode()
    path = settings.data_dir / "key.secret"
    if not path.exists():
        settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        _write(path)
    secret = path.read_bytes()
    if len(secret) < _NUM_BYTES:
        raise SettingsError("SIP_KEY_SECRET", f"a secret there, or {_NUM_BYTES} bytes in {path}")
    return secret


def _write(path: Path) -> None:
    # Linked once it is whole: of two processes that start together one wins, and both read the same.
    descriptor, partial = tempfile.mkstemp(prefix=".key.secret-", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(_NUM_BYTES))
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(partial, path)
    finally:
        Path(partial).unlink()
