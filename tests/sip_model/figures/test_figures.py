"""The study's figures, drawn from made-up values."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.container import ErrorbarContainer

from sip_model.figures.gallery import gallery
from sip_model.figures.honesty import honesty
from sip_model.figures.identifier_loss import identifier_loss
from sip_model.figures.layers import layers
from sip_model.figures.ngrams import ngrams
from sip_model.figures.perplexity import perplexity
from sip_model.figures.picture import Picture
from sip_model.figures.presets import classes, lengths, shots
from sip_model.figures.pretraining import pretraining
from sip_model.figures.probing import probing
from sip_model.figures.rows import Value, named
from sip_model.figures.silhouette import silhouette
from sip_model.figures.study import Study
from sip_model.figures.style import save
from sip_model.figures.together import together
from tests.sip_model.figures.studies import CORPORA, ENCODER, SIZES, study

NAMES = [
    "perplexity", "bits-per-byte", "silhouette", "probing", "layers", "together", "lengths", "shots",
    "classes", "ngrams", "honesty", "pretraining", "identifier-loss",
]  # fmt: skip


@pytest.fixture(scope="module")
def whole() -> Study:
    return study()


def drawn(picture: Picture | None) -> Picture:
    assert picture is not None
    return picture


def labels(axes: Axes) -> list[str]:
    return axes.get_legend_handles_labels()[1]


def looks(axes: Axes) -> list[tuple[str, str, str]]:
    """Marker, line style and shade of each curve with whiskers."""
    found = []
    for container in axes.containers:
        if isinstance(container, ErrorbarContainer) and container.lines[0] is not None:
            line = container.lines[0]
            found.append((str(line.get_marker()), str(line.get_linestyle()), str(line.get_color())))
    return found


def test_a_whole_study_has_every_figure_and_each_says_what_it_shows(whole: Study) -> None:
    pictures = gallery(whole)
    assert [picture.name for picture in pictures] == NAMES
    for picture in pictures:
        assert len(picture.caption) > 40
        assert len(picture.alt) > 30
        for axes in picture.figure.axes:
            assert axes.has_data()
        assert any(axes.get_ylabel() for axes in picture.figure.axes)


def test_the_same_values_give_the_same_files(whole: Study, tmp_path: Path) -> None:
    files = []
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        picture = drawn(perplexity(whole.rows, "lm/perplexity", [ENCODER]))
        files.append([path.read_bytes() for path in save(picture.figure, tmp_path / name, picture.name)])
    assert files[0] == files[1]


def test_perplexity_has_a_curve_per_corpus_over_the_sizes_and_names_the_encoder(whole: Study) -> None:
    picture = drawn(perplexity(whole.rows, "lm/perplexity", [ENCODER]))
    (axes,) = picture.figure.axes
    assert labels(axes) == list(CORPORA)
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    assert axes.get_xlabel() == "parameters without embeddings (log)"
    assert [text.get_text() for text in axes.get_xticklabels()] == ["310k", "790k", "1.6M", "5M"]
    assert "minilm (n/a for encoders)" in picture.caption
    assert "over 6 seeds" in picture.caption
    assert drawn(perplexity(whole.rows, "lm/bits_per_byte")).figure.axes[0].get_ylabel() == "bits per byte"


@pytest.mark.parametrize("draw", [lambda rows: perplexity(rows, "lm/perplexity"), probing, lengths, layers])
def test_curves_stay_apart_without_colour(
    draw: Callable[[list[Value]], Picture | None], whole: Study
) -> None:
    for axes in drawn(draw(list(whole.rows))).figure.axes:
        connected = [look for look in looks(axes) if look[1] != "None"]
        assert len(connected) >= 2
        assert len({marker for marker, _, _ in connected}) == len(connected)
        assert len({(style, shade) for _, style, shade in connected}) == len(connected)


def test_whiskers_are_one_standard_deviation_over_seeds() -> None:
    rows = [
        Value(
            name="lm/perplexity",
            value=number,
            dataset="books",
            backbone="nano",
            num_parameters=1000,
            seed=seed,
        )
        for seed, number in enumerate((9.0, 10.0, 11.0))
    ]
    (axes,) = drawn(perplexity(rows, "lm/perplexity")).figure.axes
    (container,) = (c for c in axes.containers if isinstance(c, ErrorbarContainer))
    (segment,) = container.lines[2][0].get_segments()
    assert [point[1] for point in segment.tolist()] == pytest.approx([9.0, 11.0])


def test_silhouettes_stand_beside_their_null(whole: Study) -> None:
    picture = drawn(silhouette(whole.rows))
    assert [axes.get_title() for axes in picture.figure.axes] == list(CORPORA)
    books, articles, _ = picture.figure.axes
    assert "shuffled labels, ± 2 sd" in labels(books)
    assert "by author, cosine" in labels(books)
    assert "by author, cosine" not in labels(articles)
    assert [text.get_text() for text in books.get_xticklabels()] == [*SIZES, ENCODER]


def test_probes_stand_beside_baseline_control_and_chance(whole: Study) -> None:
    picture = drawn(probing(whole.rows, [ENCODER]))
    for axes in picture.figure.axes:
        shown = labels(axes)
        assert {"linear probe", "non-linear probe", "control, linear", "lexical baseline", "chance"} <= set(
            shown
        )
        assert [look for look in looks(axes) if look[1] == "None"]
    assert "validation" in picture.caption
    assert f"Unconnected points: {ENCODER}" in picture.caption


def test_the_layer_of_a_probe_is_chosen_on_validation_and_never_on_test() -> None:
    def row(layer: int, split: str, accuracy: float) -> Value:
        return Value(
            name="probe/linear/accuracy", value=accuracy, layer=layer, split=split, dataset="books",
            backbone="nano", num_parameters=1000, seed=0,
        )  # fmt: skip

    rows = [row(0, "validation", 0.2), row(1, "validation", 0.3), row(2, "validation", 0.1)]
    rows += [row(0, "test", 0.9), row(1, "test", 0.25), row(2, "test", 0.8)]
    (axes,) = drawn(probing(rows)).figure.axes
    (container,) = (c for c in axes.containers if isinstance(c, ErrorbarContainer))
    assert np.asarray(container.lines[0].get_ydata()).tolist() == [0.25]
    only_test = drawn(probing(rows[3:]))
    assert "last layer" in only_test.caption


def test_depth_is_relative_so_that_backbones_lie_over_each_other(whole: Study) -> None:
    picture = drawn(layers(whole.rows))
    assert len(picture.figure.axes) == 9
    for axes in picture.figure.axes:
        for container in axes.containers:
            if isinstance(container, ErrorbarContainer):
                depths = np.asarray(container.lines[0].get_xdata()).tolist()
                assert (min(depths), max(depths)) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("draw", "series"),
    [
        (shots, {"identifier"}),
        (lengths, {"identifier", "lexical baseline"}),
        (classes, {"identifier, BCE", "identifier, CE", "identifier, binary code"}),
        (ngrams, {"split by block", "split by position (optimistic)"}),
        (
            honesty,
            {"identifier", "identifier, names and numbers masked", "lexical baseline"},
        ),
        (pretraining, {"nano (310k)", "micro (790k)", "mini (1.6M)", "small (5M)"}),
        (identifier_loss, {ENCODER}),
    ],
)
def test_presets_and_training_show_their_series(
    draw: Callable[[list[Value]], Picture | None], series: set[str], whole: Study
) -> None:
    axes = drawn(draw(list(whole.rows))).figure.axes[0]
    assert set(labels(axes)) == series
    if draw is honesty:
        ticks = [text.get_text() for text in axes.get_xticklabels()]
        assert [tick.split("\n")[0] for tick in ticks] == ["block", "document", "position"]
        assert "leak rate 3" in ticks[2]


def test_pretraining_and_identifiers_do_not_mix_their_losses(whole: Study) -> None:
    losses = [row for row in named(whole.rows, "train/loss") if row.kind == "train"]
    assert pretraining(losses) is None
    assert identifier_loss([row for row in whole.rows if row.kind == "pretrain"]) is None


def test_what_is_not_there_is_not_drawn(whole: Study) -> None:
    assert gallery(replace(whole, rows=[])) == []
    nan = [replace(row, value=float("nan")) for row in whole.rows]
    assert gallery(replace(whole, rows=nan)) == []
    unsized = [replace(row, num_parameters=None) for row in whole.rows]
    assert perplexity(unsized, "lm/perplexity") is None


def test_a_name_is_never_taken_for_mathematics(tmp_path: Path) -> None:
    rows = [
        Value(name="lm/perplexity", value=3.0, dataset=r"$\frac{", backbone="$x", num_parameters=size, seed=0)
        for size in (1000, 2000)
    ]
    png, svg = save(drawn(perplexity(rows, "lm/perplexity")).figure, tmp_path, "hostile")
    assert png.stat().st_size > 0
    assert svg.stat().st_size > 0


def test_the_perplexity_of_pretraining_itself_is_not_mixed_with_that_on_each_corpus(whole: Study) -> None:
    lumped = [replace(row, kind="pretrain") for row in whole.rows]
    assert perplexity(lumped, "lm/perplexity") is None
    assert together(replace(whole, rows=[row for row in lumped if row.name.startswith("lm/")])) == []


def test_panels_that_share_a_scale_show_the_values_of_all(whole: Study) -> None:
    """The corpora behind the first one may have far higher accuracies."""
    rows = named(whole.rows, "probe/linear/accuracy", "eval/accuracy")
    higher = rows + [replace(row, dataset="another", value=row.value + 5) for row in rows]
    for picture in (probing(higher), lengths(higher), shots(higher)):
        assert drawn(picture).figure.axes[0].get_ylim()[1] > 5
