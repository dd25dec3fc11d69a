"""The loss of a language model, without the logits of a whole batch."""

import torch
from torch.autograd.function import FunctionCtx
from torch.nn import functional
from transformers import GPTNeoXForCausalLM, PreTrainedModel

_LOGITS_AT_ONCE = 2**20
"""4 MiB of float32: what a core's caches hold. A batch's logits are tens of MiB, and to write and read them
several times costs a small model as much as all its layers."""


class NextTokenLoss(torch.nn.Module):
    """A causal language model that answers with its loss: the sum of cross-entropies over tokens, nats.

    Args:
        model: logits of float32, or under autocast of another type.
    """

    def __init__(self, model: PreTrainedModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, inputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Inputs and the tokens that follow them, each int64, (B, T); a scalar comes out."""
        model, device = self.model, inputs.device.type
        if (
            device == "cpu"
            and isinstance(model, GPTNeoXForCausalLM)
            and not torch.is_autocast_enabled(device)
        ):
            states = model.gpt_neox(input_ids=inputs, use_cache=False).last_hidden_state  # (B, T, D)
            weight = model.get_output_embeddings().weight  # (V, D)
            return linear_cross_entropy(states.flatten(0, 1), weight, targets.flatten())
        logits = model(input_ids=inputs, use_cache=False).logits  # (B, T, V)
        return functional.cross_entropy(logits.flatten(0, 1).float(), targets.flatten(), reduction="sum")


def linear_cross_entropy(states: torch.Tensor, weight: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """The sum of cross-entropies of ``states @ weight.T``, a few rows of these logits at a time.

    Args:
        states: (n, D) float32.
        weight: (V, D) float32.
        targets: (n,) int64, 0 to V - 1.
    """
    with_gradients = torch.is_grad_enabled() and (states.requires_grad or weight.requires_grad)
    total: torch.Tensor = _LinearCrossEntropy.apply(  # type: ignore[no-untyped-call]  # torch has no types for it
        states, weight, targets, with_gradients
    )
    return total


class _LinearCrossEntropy(torch.autograd.Function):
    """Finds the gradients as it goes: they need the same logits as the loss."""

    @staticmethod
    def forward(
        ctx: FunctionCtx,
        states: torch.Tensor,
        weight: torch.Tensor,
        targets: torch.Tensor,
        with_gradients: bool,
    ) -> torch.Tensor:
        size = max(1, _LOGITS_AT_ONCE // len(weight))
        logits = states.new_empty(min(size, len(states)), len(weight))  # (c, V), used again for every piece
        state_gradient = torch.empty_like(states if with_gradients else states[:0])
        weight_gradient = torch.zeros_like(weight if with_gradients else weight[:0])
        total = states.new_zeros(())
        for start in range(0, len(states), size):
            piece, wanted = (
                states[start : start + size],
                targets[start : start + size, None],
            )  # (c, D), (c, 1)
            found = torch.mm(piece, weight.t(), out=logits[: len(piece)])  # (c, V)
            found -= found.amax(1, keepdim=True)
            right = found.gather(1, wanted).sum()
            sums = found.exp_().sum(1, keepdim=True)  # (c, 1)
            total += sums.log().sum() - right
            if with_gradients:
                found /= sums  # probabilities
                found.scatter_add_(1, wanted, torch.full_like(sums, -1.0))
                torch.mm(found, weight, out=state_gradient[start : start + size])
                weight_gradient.addmm_(found.t(), piece)
        ctx.save_for_backward(state_gradient, weight_gradient)
        return total

    @staticmethod
    def backward(
        ctx: FunctionCtx,
        gradient: torch.Tensor,
    ) -> tuple[torch.Tensor, torch.Tensor, None, None]:
        state_gradient, weight_gradient = ctx.saved_tensors  # type: ignore[attr-defined]  # torch's own has it
        return state_gradient * gradient, weight_gradient * gradient, None, None
