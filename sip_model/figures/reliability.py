"""The reliability diagram: how often predictions are right, by how probable they were said to be."""

import numpy as np
from matplotlib.figure import Figure

from sip_model.analysis.reliability import Reliability
from sip_model.figures.style import SHADES, new_figure


def draw_reliability(found: Reliability) -> Figure:
    """Share right over probability, one point per bin with its standard error, beside the diagonal of perfect
    calibration."""
    figure, panels = new_figure(1, 1, panel_width=3.2, panel_height=3.0)
    axes = panels[0][0]
    errors = np.sqrt(found.accuracy * (1 - found.accuracy) / found.counts)
    axes.plot([0, 1], [0, 1], color=SHADES[1], linestyle="--", linewidth=0.8, label="perfect calibration")
    axes.errorbar(
        found.confidence,
        found.accuracy,
        yerr=errors,
        color=SHADES[0],
        marker="o",
        capsize=2,
        label="bins of equal mass",
    )
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    axes.set_xlabel("probability of the first source")
    axes.set_ylabel("share right")
    axes.set_title(f"ECE {found.ece:.3f}, null up to {found.ece_null_95:.3f}")
    axes.legend(loc="upper left")
    return figure
