"""Perplexity of a causal language model on texts of any length, by a sliding window."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from sip_model.backbones.causal import CausalBackbone
from sip_model.errors import BackboneError

DEFAULT_CONTEXT = 1024
"""Tokens of a window at most, unless asked for."""
_BATCH_TOKENS = 8192
_BATCH_LOGITS = 2**26
"""Logits that exist at the same time, padding included: 256 MiB of float32."""

IntArray = npt.NDArray[np.int64]


class TextScore(NamedTuple):
    """How well one text was predicted."""

    nll: float
    """Sum over the predicted tokens, nats."""
    num_tokens: int
    """Predicted."""
    num_bytes: int
    """UTF-8 bytes that the predicted tokens stand for."""
    num_read: int
    """Tokens of the text that were read, predicted or not."""


@dataclass(frozen=True, slots=True)
class Perplexity:
    """Scores of many texts, token-weighted."""

    nll: float
    num_tokens: int
    num_bytes: int

    @classmethod
    def of(cls, scores: Iterable[TextScore]) -> "Perplexity":
        """Over all tokens of all texts; a text without a predicted token counts for nothing."""
        columns = list(scores)
        return cls(
            math.fsum(score.nll for score in columns),
            sum(score.num_tokens for score in columns),
            sum(score.num_bytes for score in columns),
        )

    @property
    def perplexity(self) -> float:
        """e to the mean negative log-likelihood of a token; NaN without tokens."""
        return math.exp(self.nll / self.num_tokens) if self.num_tokens else math.nan

    @property
    def bits_per_byte(self) -> float:
        """Comparable across tokenizers, as perplexity is not; NaN without bytes."""
        return self.nll / math.log(2) / self.num_bytes if self.num_bytes else math.nan


class _Window(NamedTuple):
    text: int
    start: int
    end: int
    """Of the text's tokens, its start token included."""
    first: int
    """The first of them that is predicted here."""


def resolve_windows(context: int | None, stride: int | None, max_tokens: int) -> tuple[int, int]:
    """Window length and step for a backbone that reads `max_tokens` at once.

    Raises:
        BackboneError: a context that it can't read, or a stride that isn't shorter.
    """
    length = min(max_tokens, DEFAULT_CONTEXT) if context is None else context
    if not 2 <= length <= max_tokens:
        raise BackboneError(("perplexity", "context"), f"2 to {max_tokens} tokens", str(length))
    step = max(1, length // 2) if stride is None else stride
    if not 1 <= step < length:
        expected = f"1 to {length - 1}, less than the context of {length}"
        raise BackboneError(("perplexity", "stride"), expected, str(step))
    return length, step


@torch.inference_mode()
def score_texts(
    backbone: CausalBackbone,
    texts: Sequence[str],
    context: int | None = None,
    stride: int | None = None,
    max_tokens: int | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> list[TextScore]:
    """How well a backbone predicts each of n texts.

    Windows of `context` tokens follow one another by `stride`. Each predicts the tokens that the window
    before did not reach, from all that stand before them in it: the recipe for models of fixed length in
    Hugging Face's documentation, with every predicted token counted once.

    A text's first token is predicted from the tokenizer's beginning-of-text token, or else from its
    end-of-text token. Where it has neither, the first token isn't predicted, and its bytes don't count.

    Args:
        backbone: with its head.
        texts: n texts. Special tokens of the tokenizer are not put around them, but for that first one.
        context: tokens of a window; None: all the backbone reads, at most `DEFAULT_CONTEXT`.
        stride: less than `context`; None: half of it.
        max_tokens: tokens read at most; the text that crosses this is cut short, those after it score
            nothing.
        on_progress: called with windows done and windows in all.

    Raises:
        BackboneError: context or stride are beyond the backbone.
    """
    length, step = resolve_windows(context, stride, backbone.info.max_tokens)
    start = backbone.start_token
    tokens, num_bytes = _tokens(backbone, texts, max_tokens)
    windows = [
        window for number, ids in enumerate(tokens) for window in _windows(number, len(ids), length, step)
    ]
    nll = [0.0] * len(texts)
    done = 0
    vocabulary = int(backbone.model.get_output_embeddings().weight.shape[0])
    for batch in _batches(windows, min(_BATCH_TOKENS, _BATCH_LOGITS // vocabulary)):
        for window, value in zip(batch, _score(backbone, tokens, batch), strict=True):
            nll[window.text] += value
        done += len(batch)
        if on_progress is not None:
            on_progress(done, len(windows))
    return [
        TextScore(value, max(0, len(ids) - 1), size, len(ids) - (start is not None and len(ids) > 0))
        for value, ids, size in zip(nll, tokens, num_bytes, strict=True)
    ]


def spread_order(size: int) -> IntArray:
    """Numbers from 0 to `size` - 1 in an order whose every beginning is spread evenly over them, (size,)."""
    return np.argsort(np.arange(size) * 0.6180339887498949 % 1.0, kind="stable")


def _tokens(
    backbone: CausalBackbone, texts: Sequence[str], max_tokens: int | None
) -> tuple[list[IntArray], list[int]]:
    """Token ids of each text behind the start token, where there is one, and the bytes they stand for."""
    left = math.inf if max_tokens is None else max_tokens
    start = backbone.start_token
    tokens, sizes = [], []
    for text in texts:
        if left <= 0:
            tokens.append(np.zeros(0, np.int64))
            sizes.append(0)
            continue
        encoding = backbone.tokenizer.encode(text, add_special_tokens=False)
        kept = int(min(len(encoding.ids), left))
        left -= kept
        ids = ([] if start is None else [start]) + encoding.ids[:kept]
        end = len(text) if kept == len(encoding.ids) else encoding.offsets[kept - 1][1]
        begin = encoding.offsets[0][1] if start is None and kept else 0
        tokens.append(np.array(ids, np.int64))
        sizes.append(len(text[begin:end].encode("utf-8", "surrogatepass")))
    return tokens, sizes


def _windows(text: int, num_tokens: int, length: int, step: int) -> Iterator[_Window]:
    done = 1  # nothing stands before the first token
    for start in range(0, num_tokens, step):
        end = min(start + length, num_tokens)
        if done < end:
            yield _Window(text, start, end, done)
        done = max(done, end)
        if end == num_tokens:
            return


def _batches(windows: list[_Window], batch_tokens: int) -> Iterator[list[_Window]]:
    """Windows of like length together, long ones first; padding included at most `batch_tokens` tokens, or
    one window."""
    order = sorted(windows, key=lambda window: window.start - window.end)
    first = 0
    while first < len(order):
        length = order[first].end - order[first].start
        size = max(1, batch_tokens // length)
        yield order[first : first + size]
        first += size


def _score(backbone: CausalBackbone, tokens: list[IntArray], batch: list[_Window]) -> list[float]:
    """Sum of negative log-likelihoods, nats, of each window's own tokens."""
    length = max(window.end - window.start for window in batch)
    ids = torch.zeros(len(batch), length, dtype=torch.int64)  # (B, T)
    is_own = torch.zeros(len(batch), length, dtype=torch.bool)  # (B, T)
    for row, window in enumerate(batch):
        size = window.end - window.start
        ids[row, :size] = torch.from_numpy(tokens[window.text][window.start : window.end])
        is_own[row, window.first - window.start : size] = True
    ids, is_own = ids.to(backbone.device), is_own.to(backbone.device)
    # no mask: a token never looks at the padding, which comes after it
    logits = backbone.model(input_ids=ids, use_cache=False).logits  # (B, T, V)
    wanted = is_own[:, 1:]  # (B, T - 1)
    nll = functional.cross_entropy(
        logits[:, :-1][wanted].float(), ids[:, 1:][wanted], reduction="none"
    )  # (own,)
    sums = torch.zeros(len(batch), dtype=torch.float64, device=nll.device)
    rows = torch.arange(len(batch), device=nll.device)[:, None].expand_as(wanted)[wanted]  # (own,)
    return [float(value) for value in sums.index_add(0, rows, nll.double()).tolist()]
