"""Grids of the low-dimensional distribution, from the files that kind geometry leaves."""

from dataclasses import replace
from pathlib import Path

from sip_model.figures.distribution import distributions
from sip_model.figures.report import build_report
from sip_model.figures.rows import Value
from tests.sip_model.figures.studies import CORPORA, coordinates, study


def test_there_is_a_grid_per_number_of_classes_and_seed_of_the_last_layer(tmp_path: Path) -> None:
    found = coordinates(tmp_path, seeds=(0, 1), backbones=("nano", "minilm"), chunks=10)
    score = Value(
        name="geometry/panel_silhouette_3_classes", value=0.25, backbone="nano", dataset="books", seed=1,
        layer=2, step=0,
    )  # fmt: skip
    pictures = distributions(replace(study(presets=False), coordinates=found, rows=[score]))
    assert [picture.name for picture in pictures] == [
        "distribution-3-classes-seed-0",
        "distribution-3-classes-seed-1",
        "distribution-4-classes-seed-0",
        "distribution-4-classes-seed-1",
    ]
    assert [picture.folded for picture in pictures] == [False, True, False, True]
    second = pictures[1]
    panels = second.figure.axes
    assert len(panels) == len(CORPORA) * 2
    assert [panels[0].get_title(), panels[1].get_title()] == ["nano", "minilm"]
    assert panels[0].get_xlim()[1] < 100
    assert panels[0].get_xlabel() == "PC 1 (21%)"
    assert "silhouette 0.25" in [text.get_text() for text in panels[0].texts]
    assert "30 chunks of 3 sources" in second.caption
    assert "Not shown: minilm on naics2012" in second.caption
    assert not panels[5].has_data()


def test_the_report_shows_one_grid_of_each_and_folds_the_other_seeds_away(tmp_path: Path) -> None:
    found = coordinates(tmp_path, seeds=(0, 1, 2), backbones=("nano",), chunks=5)
    html = build_report(replace(study(presets=False), coordinates=found, rows=[]), tmp_path)[0].path
    text = html.read_text(encoding="utf-8")
    assert text.count("2 more, of other seeds") == 2
    assert text.index("3 classes, seed 0") < text.index("2 more, of other seeds") < text.index("4 classes")
    assert 'alt="A grid of 2 times 1 scatter plots, 3 sources each' in text
