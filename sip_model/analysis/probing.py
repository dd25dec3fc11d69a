"""Probing a layer: how well the sources of chunks can be read off frozen features, and what that is worth.

Probes are fitted on the training part; the validation part alone decides when they stop; the test part is
only ever predicted. Beside the accuracy stand the control task's
(:mod:`sip_model.analysis.control_task`), selectivity, and the description length
(:mod:`sip_model.analysis.description_length`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from sip_model.analysis.bootstrap import PairedDifference, paired_bootstrap
from sip_model.analysis.control_task import ControlTask
from sip_model.analysis.description_length import DescriptionLength, description_length
from sip_model.analysis.linear_probe import LinearProbe, fit_linear_probe
from sip_model.analysis.logistic_solvers import Spectrum
from sip_model.analysis.nonlinear_probe import NonlinearProbe, fit_nonlinear_probe
from sip_model.analysis.probe_rows import Array, Probe, ProbeRows, Standardisation
from sip_model.errors import InvalidInputError
from sip_model.experiments.probe import ProbeName, ProbeOptions
from sip_model.identifiers.positives import IntArray, Positives

BOOTSTRAP_DRAWS = 2000


@dataclass(frozen=True, slots=True, eq=False)
class ProbeSamples:
    """n chunks of C sources, and which of them may be used for what; the same for every layer."""

    positives: Positives
    """Sources of the chunks, at least one each."""
    num_sources: int
    """C"""
    documents: npt.NDArray[np.str_]
    """(n,) document of each, what the bootstrap resamples."""
    train: IntArray
    validation: IntArray
    test: IntArray
    controls: Sequence[ControlTask]
    """One per seed, or none."""


@dataclass(frozen=True, slots=True, eq=False)
class ProbeRun:
    """One seed's fit of one probe."""

    seed: int
    """Number of the run, from 0."""
    accuracy: float
    """Share of the test part whose most probable source is right."""
    control_accuracy: float | None
    """The same for the control labels."""
    description: DescriptionLength | None
    penalty: float | None
    """That the linear probe chose."""
    passes: int
    """Over the training part: evaluations at the chosen penalty, or epochs."""
    right: npt.NDArray[np.bool_]
    """(t,) per sample of the test part."""
    control_right: npt.NDArray[np.bool_] | None
    probabilities: Array
    """(t, C) of the test part."""

    @property
    def selectivity(self) -> float | None:
        """Accuracy − control accuracy."""
        return None if self.control_accuracy is None else self.accuracy - self.control_accuracy


@dataclass(frozen=True, slots=True, eq=False)
class ProbeResult:
    """One probe of one layer over all seeds."""

    probe: ProbeName
    runs: Sequence[ProbeRun]
    accuracy: PairedDifference
    """Mean over samples and seeds, with its 95 % interval by document."""
    selectivity: PairedDifference | None


OnFit = Callable[[], None]
"""Called after each fit that :func:`num_fits` counts."""


def num_fits(options: ProbeOptions, num_layers: int) -> int:
    """Calls of `on_fit` for all layers together."""
    return num_layers * len(options.probes) * options.seeds


def probe_layer(
    features: npt.NDArray[np.float32],
    samples: ProbeSamples,
    options: ProbeOptions,
    *,
    seed: int,
    device: str,
    on_fit: OnFit = lambda: None,
) -> list[ProbeResult]:
    """Probe one layer.

    Args:
        features: (n, D) of one layer.
        samples: their sources and parts.
        options: probes and budget.
        seed: with the number of the run, seeds initial weights and orders.
        device: torch device.
        on_fit: progress.

    Raises:
        InvalidInputError: a feature isn't finite, or the nonlinear probe's loss never was.
    """
    if not np.isfinite(features).all():
        raise InvalidInputError(("features",), "finite numbers", "NaN or infinity", "Try dtype float32")
    raw = torch.from_numpy(features).to(device)  # (n, D)
    standardise = Standardisation.fit(raw[torch.from_numpy(samples.train).to(device)])
    layer = _Layer(standardise(raw), samples, options, seed)
    return [_result(probe, layer.runs(probe, on_fit), samples) for probe in options.probes]


class _Layer:
    """The fits on one layer's standardised features."""

    def __init__(
        self, features: torch.Tensor, samples: ProbeSamples, options: ProbeOptions, seed: int
    ) -> None:
        self._features = features
        self._samples = samples
        self._options = options
        self._seed = seed
        self._test = self._rows(samples.positives, samples.test)
        self._spectrum = Spectrum.of(self._rows(samples.positives, samples.train).features)

    def runs(self, probe: ProbeName, on_fit: OnFit) -> list[ProbeRun]:
        runs: list[ProbeRun] = []
        for number in range(self._options.seeds):
            runs.append(self._run(probe, number, runs[0] if runs and probe == "linear" else None))
            on_fit()
        return runs

    def _run(self, name: ProbeName, number: int, same: ProbeRun | None) -> ProbeRun:
        """One run; `same` is an earlier one of the same unique solution, which then isn't sought again."""
        samples, options = self._samples, self._options
        if same is None:
            fitted = self._fit(name, number, samples.positives)
            penalty, passes = _effort(fitted)
            probabilities = fitted.probabilities(self._test.features)
        else:
            penalty, passes, probabilities = same.penalty, same.passes, same.probabilities
        right = _right(probabilities, self._test.positives)
        control_right = None
        if options.control:
            labels = samples.controls[number].positives
            control = self._fit(name, number, labels)
            control_right = _right(control.probabilities(self._test.features), labels.take(samples.test))
        return ProbeRun(
            seed=number,
            accuracy=float(right.mean()),
            control_accuracy=None if control_right is None else float(control_right.mean()),
            description=self._description(name, number, penalty) if options.description_length else None,
            penalty=penalty,
            passes=passes,
            right=right,
            control_right=control_right,
            probabilities=probabilities,
        )

    def _fit(self, name: ProbeName, number: int, labels: Positives) -> LinearProbe | NonlinearProbe:
        train, validation = (
            self._rows(labels, part) for part in (self._samples.train, self._samples.validation)
        )
        if name == "linear":
            return self._fit_linear(train, validation, self._options.penalties)
        return fit_nonlinear_probe(train, validation, self._options, self._run_seed(number))

    def _fit_linear(self, train: ProbeRows, validation: ProbeRows, penalties: Sequence[float]) -> LinearProbe:
        return fit_linear_probe(
            train,
            validation,
            penalties,
            max_passes=self._options.max_passes,
            solver=self._options.solver,
            spectrum=self._spectrum,
        )

    def _description(self, name: ProbeName, number: int, penalty: float | None) -> DescriptionLength:
        """The linear probe keeps its penalty for every portion: on the summed loss it is a prior over
        weights, which weighs less the more samples there are."""
        samples = self._samples
        train, validation = (
            self._rows(samples.positives, part) for part in (samples.train, samples.validation)
        )

        def fit(portion: ProbeRows) -> Probe:
            if penalty is not None:
                return self._fit_linear(portion, validation, (penalty,))
            return fit_nonlinear_probe(portion, validation, self._options, self._run_seed(number))

        order = np.random.default_rng([self._seed, number]).permutation(len(train))
        return description_length(train, order, fit)

    def _run_seed(self, number: int) -> int:
        return int(np.random.SeedSequence([self._seed, number]).generate_state(1)[0])

    def _rows(self, labels: Positives, rows: IntArray) -> ProbeRows:
        return ProbeRows(self._features, labels, self._samples.num_sources).take(rows)


def _effort(probe: LinearProbe | NonlinearProbe) -> tuple[float | None, int]:
    if isinstance(probe, LinearProbe):
        return probe.penalty, probe.weights.passes
    return None, probe.epochs


def _right(probabilities: Array, positives: Positives) -> npt.NDArray[np.bool_]:
    return positives.mark(probabilities.argmax(axis=1)[:, None])[:, 0]


def _result(probe: ProbeName, runs: Sequence[ProbeRun], samples: ProbeSamples) -> ProbeResult:
    documents = samples.documents[samples.test]
    right = np.mean([run.right for run in runs], axis=0)  # (t,)
    control = [run.control_right for run in runs if run.control_right is not None]

    def interval(other: Array) -> PairedDifference:
        return paired_bootstrap(right, other, documents, resamples=BOOTSTRAP_DRAWS)

    return ProbeResult(
        probe,
        runs,
        accuracy=interval(np.zeros(len(right))),
        selectivity=interval(np.mean(control, axis=0)) if control else None,
    )
