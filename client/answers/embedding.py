"""Answers of `POST /embed`."""

from typing import TypedDict

from client.answers.classification import Usage


class Embedding(TypedDict):
    """One text's vector."""

    index: int
    embedding: list[float]


class Embedded(TypedDict):
    """Answer of `POST /embed`."""

    data: list[Embedding]
    model: str
    dimensions: int
    usage: Usage
