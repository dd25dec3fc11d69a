import pytest

from cli.distributions import bar, quote
from cli.terminal import size
from client.progress import duration


@pytest.mark.parametrize(
    ("probability", "drawn"),
    [(0.0, ""), (0.5, "██"), (0.53125, "██▏"), (1.0, "████"), (1.2, "████"), (-1.0, "")],
)
def test_a_bar_is_as_long_as_its_probability(probability: float, drawn: str) -> None:
    assert bar(probability, 4, has_unicode=True) == drawn


def test_a_terminal_without_unicode_gets_plain_characters() -> None:
    assert bar(0.5, 4, has_unicode=False) == "##"


def test_a_long_text_is_cut_to_one_line() -> None:
    assert quote("a  b\nc " * 10, 8) == '"a b c a…"'


def test_sizes_and_durations_are_for_people() -> None:
    assert [size(n) for n in (12, 2048, 5 << 30)] == ["12 B", "2.0 KiB", "5.0 GiB"]
    assert [duration(s) for s in (4.4, 65, 7800)] == ["4 s", "1 min 05 s", "2 h 10 min"]
