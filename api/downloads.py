"""Stored files as responses."""

import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

from fastapi.responses import FileResponse, StreamingResponse
from starlette.background import BackgroundTask

from api.services import Services
from db.tables import Artifact, Model

BLOCK_BYTES = 256 * 1024
MEDIA_TYPES = (
    "application/json",
    "application/jsonl",
    "application/vnd.apache.parquet",
    "image/png",
    "image/svg+xml",
    "text/csv",
    "text/html",
)
"""Of the files that experiments leave."""


def artifact_response(services: Services, artifact: Artifact) -> StreamingResponse:
    """An artifact; what is sent was verified before: a 200 can't be taken back.

    Raises `StorageError` when the file is missing or damaged.
    """
    headers = {
        "Content-Length": str(artifact.bytes),
        "Content-Disposition": attachment(artifact.name),
        "ETag": f'"{artifact.sha256}"',
    }
    stream = services.store.open(artifact.storage_key, artifact.sha256)
    return StreamingResponse(_blocks(stream), headers=headers, media_type=artifact.media_type)


def model_archive(services: Services, model: Model) -> FileResponse:
    """A zip of the model's files (safetensors and JSON), each verified against its hash."""
    folder = services.store.local_folder(
        model.storage_key, {name: str(sha) for name, sha in model.files.items()}
    )
    services.settings.scratch_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(
        prefix="model-", suffix=".zip", dir=services.settings.scratch_dir, delete=False
    ) as file:
        path = Path(file.name)
        try:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
                for name in sorted(model.files):
                    archive.write(folder / name, name)
        except BaseException:
            path.unlink()
            raise
    return FileResponse(
        path,
        media_type="application/zip",
        headers={"Content-Disposition": attachment(f"{model.name}@{model.version}.zip")},
        background=BackgroundTask(path.unlink),
    )


def attachment(name: str) -> str:
    """A Content-Disposition that any name survives (RFC 6266)."""
    return f"attachment; filename*=UTF-8''{quote(name, safe='')}"


def _blocks(stream: BinaryIO) -> Iterator[bytes]:
    with stream:
        while block := stream.read(BLOCK_BYTES):
            yield block
