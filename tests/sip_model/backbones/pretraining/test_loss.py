"""The loss in pieces is the loss."""

import pytest
import torch
from torch.nn import functional

from sip_model.backbones.pretraining import loss
from sip_model.backbones.pretraining.loss import NextTokenLoss, linear_cross_entropy
from sip_model.backbones.pretraining.shapes import new_model


@pytest.mark.parametrize("pieces", [1, 3])
def test_loss_and_gradients_are_those_of_all_logits_at_once(
    pieces: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    generator = torch.Generator().manual_seed(0)
    states = torch.randn(50, 16, generator=generator, requires_grad=True)
    weight = torch.randn(300, 16, generator=generator, requires_grad=True)
    targets = torch.randint(300, (50,), generator=generator)
    monkeypatch.setattr(loss, "_LOGITS_AT_ONCE", -(-50 // pieces) * 300)
    found = linear_cross_entropy(states, weight, targets) / 7
    expected = functional.cross_entropy(states @ weight.T, targets, reduction="sum") / 7
    assert found.item() == pytest.approx(expected.item(), rel=1e-5)
    ours, theirs = (torch.autograd.grad(value, [states, weight]) for value in (found, expected))
    for mine, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-4, atol=1e-5)
    with torch.no_grad():
        assert linear_cross_entropy(states, weight, targets).item() == pytest.approx(7 * found.item())


def test_a_model_answers_with_the_loss_of_its_logits() -> None:
    model = new_model("nano", 512, 32, 0, 0)
    ids = torch.randint(512, (3, 33), generator=torch.Generator().manual_seed(0))
    inputs, targets = ids[:, :-1], ids[:, 1:]
    logits = model(input_ids=inputs).logits
    expected = functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="sum")
    assert NextTokenLoss(model)(inputs, targets).item() == pytest.approx(expected.item(), rel=1e-5)
