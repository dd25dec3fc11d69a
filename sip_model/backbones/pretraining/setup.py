"""From text and a configuration to everything that a training starts with."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tokenizers import Tokenizer
from transformers import PreTrainedModel

from sip_model.backbones.causal import CausalBackbone
from sip_model.backbones.pretraining.prepared import PreparedText
from sip_model.backbones.pretraining.saving import save_backbone
from sip_model.backbones.pretraining.schedule import Schedule
from sip_model.backbones.pretraining.shapes import CONTINUED_LEARNING_RATE, SHAPES, new_model
from sip_model.backbones.pretraining.stream import TokenStream
from sip_model.backbones.pretraining.text import PretrainingText
from sip_model.backbones.pretraining.vocabulary import END_TOKEN, as_pretrained
from sip_model.errors import BackboneError
from sip_model.experiments.pretrain import PretrainBlock


@dataclass(frozen=True, slots=True, eq=False)
class Setup:
    """A model before its training, its tokenizer and its text."""

    model: PreTrainedModel
    """float32."""
    tokenizer: Tokenizer
    base: CausalBackbone | None
    """The backbone that training goes on from."""
    train: TokenStream
    validation: TokenStream
    schedule: Schedule

    @classmethod
    def new(cls, text: PreparedText, config: PretrainBlock, seed: int) -> Self:
        """A new model; the same arguments give the same setup.

        Args:
            text: with a tokenizer of `vocab_size`.
            config: how it is trained.
            seed: of the weights and of the order of the text.

        Raises:
            InvalidInputError: the text is shorter than one sequence.
        """
        train, validation = (TokenStream(tokens, config.context) for tokens in (text.train, text.validation))
        rate = SHAPES[config.size].learning_rate if config.learning_rate is None else config.learning_rate
        schedule = Schedule.of(config, train.num_sequences, rate, seed)
        vocab_size = text.tokenizer.get_vocab_size()
        model = new_model(config.size, vocab_size, config.context, END_TOKEN, seed)
        return cls(model, text.tokenizer, None, train, validation, schedule)

    @classmethod
    def continued(cls, text: PretrainingText, config: PretrainBlock, base: CausalBackbone, seed: int) -> Self:
        """A backbone that is trained further, its text tokenised by its own tokenizer.

        Args:
            text: what it is trained on.
            config: how.
            base: float32, what `config.from_` names.
            seed: of the order of the text.

        Raises:
            BackboneError: the base can't read `context` tokens at once.
            InvalidInputError: the text is shorter than one sequence.
        """
        if config.context > base.info.max_tokens:
            expected = f"at most {base.info.max_tokens}, which {base.info.id!r} can read"
            raise BackboneError(("pretrain", "context"), expected, str(config.context))
        train, validation = (
            TokenStream.encode(texts, base.tokenizer, base.end_token, config.context)
            for texts in (text.train_texts(), text.held_out_texts("validation"))
        )
        rate = CONTINUED_LEARNING_RATE if config.learning_rate is None else config.learning_rate
        schedule = Schedule.of(config, train.num_sequences, rate, seed)
        return cls(base.model, base.tokenizer, base, train, validation, schedule)

    @property
    def num_tokens(self) -> int:
        """Tokens trained on in all."""
        return self.schedule.num_steps * self.schedule.batch_sequences * self.train.context

    def save(self, folder: Path) -> None:
        """Write the model as it is now, and its tokenizer, as a Hugging Face folder."""
        tokenizer = (
            as_pretrained(self.tokenizer, self.train.context) if self.base is None else self.base.folder
        )
        save_backbone(self.model, tokenizer, folder)
