"""Batches for the blocks in training."""

import pytest
import torch

from sip_model.backbones.states import TokenBatch, thinned

LENGTHS = (40, 1, 2, 25)


@pytest.fixture
def batch() -> TokenBatch:
    """Tokens numbered by their place, from 1; a token's state is its number."""
    mask = (torch.arange(40) < torch.tensor(LENGTHS)[:, None]).long()  # (4, 40)
    ids = torch.arange(1, 41) * mask
    return TokenBatch(ids, mask, ids[:, :, None].expand(-1, -1, 3).float())


def test_a_thinned_batch_keeps_order_ends_and_states(batch: TokenBatch) -> None:
    torch.manual_seed(0)
    found = thinned(batch, 0.5)
    assert found.states is not None
    for row, length in enumerate(LENGTHS):
        kept = found.ids[row][found.mask[row].bool()].tolist()
        assert kept == sorted(kept)
        assert (kept[0], kept[-1]) == (1, length)
        assert found.mask[row].tolist() == [1] * len(kept) + [0] * (found.mask.shape[1] - len(kept))
    assert torch.equal(found.states[:, :, 0], found.ids.float())
    assert found.mask.shape[1] == found.mask.sum(1).max()
    assert 10 < found.mask[0].sum() < 30


def test_every_step_leaves_other_tokens_out(batch: TokenBatch) -> None:
    torch.manual_seed(0)
    first, second = thinned(batch, 0.5), thinned(batch, 0.5)
    assert first.ids[0].tolist() != second.ids[0].tolist()


@pytest.mark.parametrize("has_states", [True, False])
def test_without_a_share_nothing_is_left_out(batch: TokenBatch, *, has_states: bool) -> None:
    batch = batch if has_states else batch._replace(states=None)
    found = thinned(batch, 0.0)
    assert torch.equal(found.mask, batch.mask)
    assert torch.equal(found.ids, batch.ids)
    assert (found.states is not None) == has_states
