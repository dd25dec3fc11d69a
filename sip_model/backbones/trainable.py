"""A backbone in training: which of its weights change, and passes that keep what gradients need."""

from collections.abc import Mapping, Sequence

import torch
from torch import nn

from sip_model.backbones.load import Backbone, transformer_blocks
from sip_model.backbones.pooling import Pool
from sip_model.errors import ArtifactError, BackboneError

FINAL_NORMS = frozenset({"final_layer_norm", "final_layernorm", "ln_f", "norm"})
"""What families call the norm behind their last block."""

# What blocks without a module for it call their share of dropout.
_DROPOUTS = ("dropout", "attention_dropout", "dropout_prob", "activation_dropout")

Tensors = Mapping[str, torch.Tensor]


class TrainableBackbone:
    """The upper blocks of a backbone, or all of it, with gradients.

    The blocks below those in training are taken out of the model and its passes begin with the states they
    would have made, which stay the same while training goes on. ALBERT's blocks share their weights, so all
    of them change together and none is taken out.

    Args:
        backbone: float32, and in nobody else's hands; its model is changed.
        layers: those that are read, the deepest of which is the last one in training.
        last_layers: how many blocks up to the deepest layer read are trained; None: all of them and the
            embeddings.

    Raises:
        BackboneError: the deepest layer read isn't made by any block, or by fewer than `last_layers` of them.
    """

    def __init__(self, backbone: Backbone, layers: Sequence[int], last_layers: int | None) -> None:
        info = backbone.info
        deepest = max(layers)
        if deepest < (last_layers or 1):
            raise BackboneError(
                ("backbone", "layers"),
                f"a layer from {last_layers or 1}, so that there are blocks to train below it",
                str(deepest),
                "Read a deeper layer, or train fewer with training.last_layers",
            )
        self.backbone = backbone
        self._layers = tuple(layers)
        self._trains_embeddings = last_layers is None
        self._model = backbone.model
        blocks = transformer_blocks(self._model, info)
        is_shared = len(blocks) < info.num_layers
        self.start = 0 if last_layers is None or is_shared else deepest - last_layers
        """The layer whose states the passes begin with; 0: the passes begin with token ids."""
        self._parameters = self._chosen(blocks, deepest, last_layers, is_shared=is_shared)
        self._entry = _Entry()
        if self.start > 0:
            _take_out(self._model, blocks, self.start, self._entry)
        for parameter in self._parameters.values():
            parameter.requires_grad_(True)

    @property
    def parameters(self) -> Mapping[str, nn.Parameter]:
        """What is trained, by its name in the whole model."""
        return self._parameters

    @property
    def tuned_layers(self) -> tuple[int, ...]:
        """The layers read that training changes."""
        first = 0 if self._trains_embeddings else self.start + 1
        return tuple(layer for layer in self._layers if layer >= first)

    def compute_activations_twice(self) -> None:
        """From now on: in the backward pass again, rather than keep them.

        Raises:
            BackboneError: its family can't.
        """
        if not self._model.supports_gradient_checkpointing:
            raise BackboneError(
                ("training", "gradient_checkpointing"), f"false for {self.backbone.info.id!r}", "true"
            )
        # transformers has given it another name
        enable = getattr(self._model, "activation_checkpointing_enable", None)
        (enable or self._model.gradient_checkpointing_enable)({"use_reentrant": False})

    def set_dropout(self, share: float) -> None:
        """Drop out this share of activations and attention weights instead of what the configuration says."""
        for module in self._model.modules():
            if isinstance(module, nn.Dropout):
                module.p = share
            for name in _DROPOUTS:
                if isinstance(getattr(module, name, None), float):
                    setattr(module, name, share)

    def train(self) -> None:
        """Drop out."""
        self._model.train()

    def eval(self) -> None:
        """No dropout."""
        self._model.eval()

    def pooled(
        self, ids: torch.Tensor, mask: torch.Tensor, states: torch.Tensor | None, pool: Pool
    ) -> torch.Tensor:
        """Pooled token states of the tuned layers, K of them.

        Args:
            ids: token ids, padded on the right, int64, (B, T).
            mask: 1 for a text's own tokens, (B, T).
            states: of layer `start`, (B, T, D); None where passes begin with token ids.
            pool: how token states become one vector.

        Returns:
            float32, (B, K, D).
        """
        self._entry.states = states
        try:
            return self.backbone.reader.pooled_from(self.start, ids, mask, self.tuned_layers, pool)
        finally:
            self._entry.states = None

    def _chosen(
        self, blocks: Sequence[nn.Module], deepest: int, last_layers: int | None, *, is_shared: bool
    ) -> dict[str, nn.Parameter]:
        """Weights of the blocks in training, of the norm behind the last one, and in `full` of all else but
        the blocks above the deepest layer read."""
        numbers = {id(p): number for number, block in enumerate(blocks, 1) for p in block.parameters()}
        chosen: dict[str, nn.Parameter] = {}
        for name, parameter in self._model.named_parameters():
            number = numbers.get(id(parameter))
            if number is not None:
                is_chosen = is_shared or self.start < number <= deepest
            elif name.split(".")[-2] in FINAL_NORMS:
                is_chosen = deepest == self.backbone.info.num_layers
            else:
                is_chosen = last_layers is None
            if is_chosen:
                chosen[name] = parameter
        return chosen


class _Entry(nn.Module):
    """Stands where the last block that isn't trained stood, and hands on the states it would have made."""

    def __init__(self) -> None:
        super().__init__()
        self.states: torch.Tensor | None = None

    def forward(self, hidden: torch.Tensor, *_args: object, **_options: object) -> torch.Tensor:
        """The states given for this pass, whatever came in."""
        return hidden if self.states is None else self.states


def _take_out(model: nn.Module, blocks: Sequence[nn.Module], number: int, entry: _Entry) -> None:
    """Put `entry` in the place of the first `number` blocks."""
    for module in model.modules():
        if isinstance(module, nn.ModuleList) and len(module) == len(blocks) and module[0] is blocks[0]:
            for place in range(number):
                module[place] = entry
            return


def with_weights(backbone: Backbone, tensors: Tensors) -> Backbone:
    """A backbone with tuned weights put in, in its own dtype.

    Args:
        backbone: in nobody else's hands; its model is changed.
        tensors: by their name in the model.

    Raises:
        ArtifactError: a tensor fits no weight of the backbone.
    """
    parameters = dict(backbone.model.named_parameters())
    with torch.no_grad():
        for name, value in tensors.items():
            own = parameters.get(name)
            if own is None or own.shape != value.shape:
                raise ArtifactError(
                    ("backbone", "weights"),
                    f"weights of {backbone.info.id!r}",
                    f"{name[:100]!r} of shape {tuple(value.shape)}",
                )
            own.copy_(value)
    return backbone
