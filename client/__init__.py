"""The Python client of the service; it talks HTTP only.

>>> from client import Client
>>> with Client("http://127.0.0.1:8000") as sip:  # doctest: +SKIP
...     sip.classify("The fast Fourier transform of a real sequence is symmetric.")
"""

from client.aio.client import AsyncClient
from client.client import DEFAULT_URL, Client
from client.errors import ApiError, ClientError, ConnectionFailedError, FieldError, UnexpectedAnswerError
from client.retrying import Retrying

__all__ = [
    "DEFAULT_URL",
    "ApiError",
    "AsyncClient",
    "Client",
    "ClientError",
    "ConnectionFailedError",
    "FieldError",
    "Retrying",
    "UnexpectedAnswerError",
]
