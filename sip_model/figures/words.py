"""Captions and alternative texts, made from the values shown."""

from collections.abc import Iterable, Sequence

from sip_model.figures.rows import Spread


def listed(names: Sequence[str]) -> str:
    """Names as a sentence has them: ``a``, ``a and b``, ``a, b and c``."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def seed_note(groups: Iterable[Spread]) -> str:
    """How many seeds stand behind each point, as a caption says it."""
    numbers = sorted({spread.n for spread in groups})
    if numbers == [1]:
        return "One value each: there is no spread to show."
    counts = str(numbers[0]) if len(numbers) == 1 else f"{numbers[0]} to {numbers[-1]}"
    return f"Shown are means, whiskers ± one standard deviation, over {counts} seeds."


def missing_note(names: Sequence[str], why: str) -> str:
    """What isn't there, as a caption says it; empty when nothing is missing."""
    return f" Not shown: {listed(names)} ({why})." if names else ""


def value_range(groups: Iterable[Spread]) -> str:
    """From the smallest to the largest mean, three digits."""
    means = [spread.mean for spread in groups]
    return f"from {min(means):.3g} to {max(means):.3g}"
