"""What one writes in five minutes: sentence-transformers behind FastAPI, a thread per request.

python -m benchmarks.serving_naive FOLDER PORT
"""

import sys

import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel
from sentence_transformers import SentenceTransformer


class Asked(BaseModel):
    """Texts to embed."""

    input: list[str]


def create_app(folder: str) -> FastAPI:
    """The application around the model in a folder."""
    model = SentenceTransformer(folder, device="cpu")
    app = FastAPI()

    @app.post("/embeddings")
    def post_embeddings(asked: Asked) -> dict[str, list[dict[str, list[float]]]]:
        vectors = model.encode(asked.input, normalize_embeddings=True, show_progress_bar=False)
        return {"data": [{"embedding": vector.tolist()} for vector in vectors]}

    return app


if __name__ == "__main__":
    uvicorn.run(create_app(sys.argv[1]), host="127.0.0.1", port=int(sys.argv[2]), log_level="warning")
