"""A trained identifier's scores beside chance and the lexical baseline."""

from collections.abc import Mapping
from typing import NamedTuple

from cli.distributions import bar
from cli.terminal import Terminal

LEXICAL = "baseline/lexical_accuracy"
CHANCE = "baseline/chance_accuracy"
BAR_WIDTH = 24


class _Line(NamedTuple):
    """A row of the table; `value` is a share of 1."""

    label: str
    value: float | None
    colour: str
    meaning: str


def show_scores(terminal: Terminal, metrics: Mapping[str, float | None], num_sources: int) -> None:
    """Print the table: accuracy beside the lexical baseline and chance, the ratios, the other scores.

    Args:
        metrics: name → final value, as in an experiment's `metrics`.
        num_sources: C; chance is 1/C where every sample has one right source, the metric says otherwise.
    """
    chance = metrics.get(CHANCE) or 1 / num_sources
    accuracy, lexical, error = metrics.get("eval/accuracy"), metrics.get(LEXICAL), metrics.get("eval/ece")
    for line in (
        _Line("accuracy", accuracy, "green", "the right source comes first"),
        _Line("lexical baseline", lexical, "yellow", "accuracy of an SVM on character n-grams"),
        _Line("chance", chance, "red", f"one of {num_sources:,} sources named at random"),
        _Line("top-5 accuracy", metrics.get("eval/top5_accuracy"), "cyan", "it is among the first five"),
        _Line("macro-F1", metrics.get("eval/macro_f1"), "cyan", "F1 averaged over sources"),
    ):
        if line.value is not None:
            drawn = bar(line.value, BAR_WIDTH, has_unicode=terminal.has_unicode).ljust(BAR_WIDTH)
            terminal.say(
                f"  {line.label:<17} {line.value:>6.1%}  [{line.colour}]{drawn}[/]  [dim]{line.meaning}[/]"
            )
    if error is not None:
        meaning = "how far probabilities are from frequencies; 0 is best"
        terminal.say(f"  {'ECE':<17} {error:>6.3f}  {'':<{BAR_WIDTH}}  [dim]{meaning}[/]")
    if accuracy is not None:
        versus = [f"[bold]{accuracy / chance:.1f} x[/] chance"]
        if lexical:
            versus.append(f"[bold]{accuracy / lexical:.2f} x[/] the lexical baseline")
        terminal.say(f"  Accuracy is {' and '.join(versus)}.")
