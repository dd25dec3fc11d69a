"""From text and a configuration to everything that a training starts with."""

from dataclasses import dataclass
from pathlib import Path

from tokenizers import Tokenizer
from transformers import PreTrainedModel

from sip_model.backbones.causal import CausalBackbone
from sip_model.backbones.pretraining.saving import save_backbone
from sip_model.backbones.pretraining.schedule import Schedule
from sip_model.backbones.pretraining.shapes import CONTINUED_LEARNING_RATE, SHAPES, new_model
from sip_model.backbones.pretraining.stream import TokenStream
from sip_model.backbones.pretraining.text import PretrainingText
from sip_model.backbones.pretraining.vocabulary import END_TOKEN, as_pretrained, train_tokenizer
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
    def of(
        cls, text: PretrainingText, config: PretrainBlock, base: CausalBackbone | None, seed: int
    ) -> "Setup":
        """Train the tokenizer, unless there is one, and tokenise; the same arguments give the same setup.

        Args:
            text: what the tokenizer and the model are trained on.
            config: how.
            base: float32, what `config.from_` names; None: a new model.
            seed: of the weights and of the order of the text.

        Raises:
            BackboneError: the base can't read `context` tokens at once.
            InvalidInputError: the text is shorter than one sequence.
        """
        if base is None:
            tokenizer, end_token = train_tokenizer(text.train_texts(), config.vocab_size), END_TOKEN
        else:
            tokenizer, end_token = base.tokenizer, base.end_token
            if config.context > base.info.max_tokens:
                expected = f"at most {base.info.max_tokens}, which {base.info.id!r} can read"
                raise BackboneError(("pretrain", "context"), expected, str(config.context))
        train, validation = (
            TokenStream.encode(texts, tokenizer, end_token, config.context)
            for texts in (text.train_texts(), text.held_out_texts("validation"))
        )
        learning_rate = config.learning_rate
        if learning_rate is None:
            learning_rate = SHAPES[config.size].learning_rate if base is None else CONTINUED_LEARNING_RATE
        schedule = Schedule.of(config, train.num_sequences, learning_rate, seed)
        model = (
            new_model(config.size, tokenizer.get_vocab_size(), config.context, end_token, seed)
            if base is None
            else base.model
        )
        return cls(model, tokenizer, base, train, validation, schedule)

    def save(self, folder: Path) -> None:
        """Write the model as it is now, and its tokenizer, as a Hugging Face folder."""
        tokenizer = (
            as_pretrained(self.tokenizer, self.train.context) if self.base is None else self.base.folder
        )
        save_backbone(self.model, tokenizer, folder)
