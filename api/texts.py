"""The texts of a request."""

from collections.abc import Sequence

from api.errors import invalid
from api.services import Services


def texts_of(services: Services, given: str | Sequence[str]) -> list[str]:
    """`input` as a list; raises 422 when there are none or too many."""
    texts = [given] if isinstance(given, str) else list(given)
    limit = services.settings.max_texts
    if not 1 <= len(texts) <= limit:
        raise invalid(
            ("body", "input"), f"1 to {limit} texts", str(len(texts)), "Send them in several requests."
        )
    return texts
