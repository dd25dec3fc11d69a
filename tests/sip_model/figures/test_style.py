"""What all figures share."""

from pathlib import Path

from sip_model.figures.style import MARKERS, SHADES, new_figure, plain, save


def _draw(folder: Path) -> tuple[Path, Path]:
    figure, panels = new_figure(2, 3)
    for row in panels:
        for axes in row:
            axes.plot([0, 1], [0, 1], label=plain("Prices in $ and in $ again"))
            axes.set_title(plain("소설", 40))
    figure.legend(*panels[0][0].get_legend_handles_labels(), loc="outside lower center")
    folder.mkdir()
    return save(figure, folder, "lines")


def test_the_same_figure_gives_the_same_bytes(tmp_path: Path) -> None:
    first, second = _draw(tmp_path / "first"), _draw(tmp_path / "second")
    assert [path.name for path in first] == ["lines.png", "lines.svg"]
    for one, other in zip(first, second, strict=True):
        assert one.read_bytes() == other.read_bytes()
    assert first[0].read_bytes().startswith(b"\x89PNG")
    assert first[1].read_text(encoding="utf-8").startswith("<?xml")


def test_panels_stand_in_rows_and_columns() -> None:
    figure, panels = new_figure(2, 3, panel_width=2.0, panel_height=1.5)
    assert [len(row) for row in panels] == [3, 3]
    assert figure.get_size_inches().tolist() == [6.0, 3.0]


def test_a_long_name_is_shortened_and_a_dollar_stays_a_dollar() -> None:
    assert plain("Thérèse Raquin", 8) == "Thérèse…"
    assert plain("a$b$c") == r"a\$b\$c"


def test_there_is_a_marker_and_a_shade_for_each_of_eight_classes() -> None:
    assert len(set(MARKERS)) == len(set(SHADES)) == 8
