"""The linear probe is logistic regression, whoever solves it."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from sip_model.analysis.linear_probe import LinearProbe, fit_linear_probe
from sip_model.analysis.probe_rows import ProbeRows, Standardisation
from sip_model.experiments.probe import Solver
from tests.sip_model.analysis.probe_data import make_rows, parts_of, several

SOLVERS: tuple[Solver, ...] = ("sklearn", "torch")


def accuracy(probe: LinearProbe, rows: ProbeRows) -> float:
    predicted = probe.probabilities(rows.features).argmax(1)
    return float(rows.positives.mark(predicted[:, None]).mean())


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("num_labels", [2, 20])
@pytest.mark.parametrize("penalty", [100.0, 1.0])
def test_its_accuracy_is_that_of_scikit_learn(solver: Solver, num_labels: int, penalty: float) -> None:
    rows = make_rows(num_labels, 3000 // num_labels, spread=3.0)
    stretched = ProbeRows(rows.features * torch.logspace(-2, 2, 12) + 5, rows.positives, num_labels)
    train, validation, test = parts_of(stretched)
    standardise = Standardisation.fit(train.features)
    ours = fit_linear_probe(
        ProbeRows(standardise(train.features), train.positives, num_labels),
        validation,
        (penalty,),
        max_passes=1000,
        solver=solver,
    )
    found = accuracy(ours, ProbeRows(standardise(test.features), test.positives, num_labels))

    scaler = StandardScaler().fit(train.features.double().numpy())
    x, x_test = (scaler.transform(part.features.double().numpy()) for part in (train, test))
    # Of two classes scikit-learn penalises the difference of the two weight vectors.
    inverse = (2 if num_labels == 2 else 1) / penalty
    theirs = LogisticRegression(C=inverse, tol=1e-6, max_iter=2000).fit(x, train.positives.indices)
    assert abs(found - theirs.score(x_test, test.positives.indices)) <= 0.005
    ours_bits = ours.probabilities(standardise(test.features))
    np.testing.assert_allclose(ours_bits, theirs.predict_proba(x_test), atol=2e-3)


def test_both_solvers_choose_the_same_penalty_and_find_the_same_probe() -> None:
    train, validation, test = parts_of(make_rows(8, 100, spread=4.0))
    penalties = (1000.0, 300.0, 100.0, 30.0, 10.0, 3.0, 1.0)
    one, other = (
        fit_linear_probe(train, validation, penalties, max_passes=500, solver=solver) for solver in SOLVERS
    )
    assert one.penalty == other.penalty
    assert 1 < one.penalty < 1000
    np.testing.assert_allclose(
        one.probabilities(test.features), other.probabilities(test.features), atol=2e-3
    )


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_sample_of_two_labels_counts_half_for_each(solver: Solver) -> None:
    features = torch.tensor([[0.0], [0.0], [1.0], [1.0]])
    shared = ProbeRows(features, several([[0, 1], [0, 1], [2], [2]]), 3)
    split = ProbeRows(features, several([[0], [1], [2], [2]]), 3)
    one, other = (
        fit_linear_probe(rows, rows, (0.1,), max_passes=500, solver=solver).probabilities(features)
        for rows in (shared, split)
    )
    np.testing.assert_allclose(one, other, atol=1e-3)
    assert one[0, 0] == pytest.approx(one[0, 1], abs=1e-3)


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_label_that_training_lacks_is_never_predicted(solver: Solver) -> None:
    rows = make_rows(4, 30)
    train = rows.take(np.flatnonzero(rows.positives.indices != 2))
    found = fit_linear_probe(train, rows, (10.0, 1.0), max_passes=100, solver=solver)
    probabilities = found.probabilities(rows.features)
    assert (probabilities[:, 2] == 0).all()
    np.testing.assert_allclose(probabilities.sum(1), 1, atol=1e-6)


def test_one_label_alone_is_predicted_always() -> None:
    rows = make_rows(3, 10)
    train = rows.take(np.flatnonzero(rows.positives.indices == 1))
    probabilities = fit_linear_probe(train, rows, (1.0,), max_passes=10).probabilities(rows.features)
    np.testing.assert_array_equal(probabilities, np.tile([0.0, 1.0, 0.0], (len(rows), 1)))


def test_the_search_ends_where_validation_is_coded_worse() -> None:
    generator = torch.Generator().manual_seed(0)
    noise = make_rows(4, 60)
    noise = ProbeRows(torch.randn(240, 50, generator=generator), noise.positives, 4)
    train, validation, _ = parts_of(noise)
    found = fit_linear_probe(train, validation, (1e4, 1.0, 1e-3), max_passes=200)
    assert found.penalty == 1e4


def test_constant_features_are_left_out() -> None:
    features = torch.cat(
        [torch.randn(50, 2, generator=torch.Generator().manual_seed(0)), torch.full((50, 1), 7.7)], 1
    )
    found = Standardisation.fit(features)(features)
    assert (found[:, 2] == 0).all()
    torch.testing.assert_close(found[:, :2].std(0, correction=0), torch.ones(2))
