"""Perplexity, held against transformers itself."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM

from sip_model.analysis.perplexity import Perplexity, resolve_windows, score_texts, spread_order
from sip_model.backbones.causal import CausalBackbone, load_causal
from sip_model.backbones.info import read_info
from sip_model.errors import BackboneError
from tests.sip_model.backbones.tiny import make_tiny_backbone, make_tiny_tokenizer

TEXTS = [
    "It was a dark night and the wind went over the hills like a river of sound. " * 9,
    "Where does this text come from, and how sure can anyone be of the answer?",
    "A für ünïcödé line — 漢字.",
    "x",
]


def make_causal(folder: Path, family: str, *, has_end_token: bool) -> CausalBackbone:
    """A tiny decoder with a head whose predictions differ from token to token."""
    make_tiny_backbone(folder, family)
    config = AutoConfig.from_pretrained(folder)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = AutoModelForCausalLM.from_config(config)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.normal_(0.0, 0.2)
    model.save_pretrained(folder)
    tokenizer = make_tiny_tokenizer(is_encoder=False)
    if has_end_token:
        tokenizer.eos_token = "[SEP]"
    tokenizer.save_pretrained(folder)
    return load_causal(folder, read_info(folder, family, ""), "cpu", "float32")


def reference(backbone: CausalBackbone, text: str, max_length: int, stride: int) -> tuple[float, int]:
    """The loop of "Perplexity of fixed-length models": summed loss and tokens of one text.

    There each window's mean is weighted by its targets less one; here by the targets it is the mean of.
    """
    ids = backbone.tokenizer.encode(text, add_special_tokens=False).ids
    start = [] if backbone.start_token is None else [backbone.start_token]
    encodings = torch.tensor([start + ids])
    seq_len, nll_sum, n_tokens, prev_end_loc = encodings.size(1), 0.0, 0, 0
    for begin_loc in range(0, seq_len, stride):
        end_loc = min(begin_loc + max_length, seq_len)
        target_len = end_loc - prev_end_loc
        input_ids = encodings[:, begin_loc:end_loc]
        target_ids = input_ids.clone()
        target_ids[:, :-target_len] = -100
        num_targets = int((target_ids[:, 1:] != -100).sum())
        if num_targets:
            with torch.no_grad():
                nll_sum += float(backbone.model(input_ids, labels=target_ids).loss) * num_targets
            n_tokens += num_targets
        prev_end_loc = end_loc
        if end_loc == seq_len:
            break
    return nll_sum, n_tokens


@pytest.mark.parametrize("family", ["gpt_neox", "gpt2", "opt", "llama"])
@pytest.mark.parametrize("has_end_token", [True, False])
def test_it_is_that_of_transformers_on_the_same_windows(
    family: str, has_end_token: bool, tmp_path: Path
) -> None:
    backbone = make_causal(tmp_path, family, has_end_token=has_end_token)
    for context, stride in ((48, 24), (32, 5), (128, 127)):
        scores = score_texts(backbone, TEXTS, context, stride)
        expected = [reference(backbone, text, context, stride) for text in TEXTS]
        assert [score.num_tokens for score in scores] == [tokens for _, tokens in expected]
        for score, (nll, _) in zip(scores, expected, strict=True):
            assert score.nll == pytest.approx(nll, rel=1e-5, abs=1e-4)
        total = Perplexity.of(scores)
        theirs = math.exp(sum(nll for nll, _ in expected) / sum(tokens for _, tokens in expected))
        assert total.perplexity == pytest.approx(theirs, rel=1e-3)


def test_bytes_are_those_of_the_tokens_that_are_predicted(tmp_path: Path) -> None:
    with_token = make_causal(tmp_path / "with", "gpt2", has_end_token=True)
    without = make_causal(tmp_path / "without", "gpt2", has_end_token=False)
    all_bytes = [score.num_bytes for score in score_texts(with_token, TEXTS)]
    assert all_bytes == [len(text.encode()) for text in TEXTS]
    fewer = [score.num_bytes for score in score_texts(without, TEXTS)]
    for text, size in zip(TEXTS, fewer, strict=True):
        first = without.tokenizer.encode(text).offsets[0][1]
        assert size == len(text[first:].encode())
    assert (fewer[3], score_texts(without, ["x"])[0].num_tokens) == (0, 0)
    assert math.isnan(Perplexity.of(score_texts(without, ["x"])).perplexity)
    scored = Perplexity.of(score_texts(with_token, TEXTS))
    bits = scored.num_tokens * math.log2(scored.perplexity)
    assert scored.bits_per_byte == pytest.approx(bits / sum(all_bytes))


def test_a_budget_cuts_the_text_that_crosses_it(tmp_path: Path) -> None:
    backbone = make_causal(tmp_path, "gpt2", has_end_token=True)
    sizes = [len(backbone.tokenizer.encode(text).ids) for text in TEXTS]
    scores = score_texts(backbone, TEXTS, max_tokens=sizes[0] + 4)
    assert [score.num_read for score in scores] == [sizes[0], 4, 0, 0]
    assert [score.num_tokens for score in scores] == [sizes[0], 4, 0, 0]
    end = backbone.tokenizer.encode(TEXTS[1]).offsets[3][1]
    assert scores[1].num_bytes == len(TEXTS[1][:end].encode())


def test_windows_beyond_the_backbone_are_refused() -> None:
    assert resolve_windows(None, None, 2048) == (1024, 512)
    assert resolve_windows(None, None, 100) == (100, 50)
    for context, stride in ((200, None), (1, None), (50, 50), (None, 100)):
        with pytest.raises(BackboneError):
            resolve_windows(context, stride, 100)


def test_an_encoder_and_weights_without_a_head_are_refused(tmp_path: Path) -> None:
    encoder = make_tiny_backbone(tmp_path / "bert", "bert")
    with pytest.raises(BackboneError, match="an encoder: it has no perplexity"):
        load_causal(encoder, read_info(encoder, "bert", ""))
    headless = make_tiny_backbone(tmp_path / "neox", "gpt_neox")
    with pytest.raises(BackboneError, match="missing"):
        load_causal(headless, read_info(headless, "neox", ""))


def test_every_beginning_of_the_order_is_spread_evenly() -> None:
    order = spread_order(100)
    assert sorted(order.tolist()) == list(range(100))
    for size in (5, 10, 30):
        gaps = np.diff(np.concatenate([[0], np.sort(order[:size]), [100]]))
        assert gaps.max() <= 300 / size
