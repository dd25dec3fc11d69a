"""The reliability diagram."""

from pathlib import Path

import numpy as np

from sip_model.analysis.reliability import reliability
from sip_model.figures.reliability import draw_reliability
from sip_model.figures.style import save


def test_every_bin_is_a_point_and_the_same_predictions_give_the_same_files(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    confidence = generator.random(300)
    found = reliability(confidence, generator.random(300) < confidence)
    figure = draw_reliability(found)
    (points,) = [line for line in figure.axes[0].lines if line.get_marker() == "o"]
    np.testing.assert_allclose(np.asarray(points.get_ydata(), dtype=np.float64), found.accuracy)
    files = [save(draw_reliability(found), tmp_path, name) for name in ("a", "b")]
    assert [path.read_bytes() for path in files[0]] == [path.read_bytes() for path in files[1]]
