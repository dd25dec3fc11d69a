"""The texts of a request."""

from collections.abc import Sequence

from api.errors import invalid
from api.services import Services


def texts_of(services: Services, given: str | Sequence[str]) -> list[str]:
    """`input` as a list; raises 422 when there are none or too many, or one is too long."""
    texts = [given] if isinstance(given, str) else list(given)
    limit = services.settings.max_texts
    if not 1 <= len(texts) <= limit:
        raise invalid(
            ("body", "input"), f"1 to {limit} texts", str(len(texts)), "Send them in several requests."
        )
    longest = services.settings.max_text_characters
    for index, text in enumerate(texts):
        if len(text) > longest:
            loc = ("body", "input") if isinstance(given, str) else ("body", "input", index)
            raise invalid(loc, f"at most {longest} characters", str(len(text)), "Cut it in parts.")
    return texts
