"""A finished figure with what stands beside it in a report."""

from dataclasses import dataclass

from matplotlib.figure import Figure


@dataclass(frozen=True, slots=True)
class Picture:
    """A figure with its words."""

    name: str
    """File name without an ending."""
    title: str
    figure: Figure
    caption: str
    """What is shown, over how many seeds, and what is missing."""
    alt: str
    """For those who can't see it: axes, curves and the range of values."""
    folded: bool = False
    """Whether a report shows it only when asked, as one more of the kind of the picture before."""
