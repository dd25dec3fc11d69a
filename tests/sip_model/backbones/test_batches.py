import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sip_model.backbones.batches import padded_lengths, plan_batches

LENGTHS = st.lists(st.integers(1, 100), max_size=80)


@given(LENGTHS, st.integers(1, 500), st.booleans())
def test_every_text_is_in_one_batch_that_fits_the_budget(
    lengths: list[int], batch_tokens: int, is_causal: bool
) -> None:
    batches = plan_batches(np.array(lengths, dtype=np.int64), 100, batch_tokens, is_causal=is_causal)
    rows = sorted(row for batch in batches for row in batch.rows.tolist())
    assert rows == list(range(len(lengths)))
    assert all(len(batch.rows) * batch.length <= batch_tokens or len(batch.rows) == 1 for batch in batches)


@given(LENGTHS)
def test_the_padded_length_follows_from_the_text_alone(lengths: list[int]) -> None:
    array = np.array(lengths, dtype=np.int64)
    for batch in plan_batches(array, 100, 256, is_causal=False):
        assert (padded_lengths(array[batch.rows], 100) == batch.length).all()


@given(LENGTHS)
def test_an_encoders_texts_with_and_without_padding_stand_apart(lengths: list[int]) -> None:
    array = np.array(lengths, dtype=np.int64)
    for batch in plan_batches(array, 100, 256, is_causal=False):
        assert len(set((array[batch.rows] == batch.length).tolist())) == 1


def test_no_padding_goes_beyond_what_the_backbone_can_read() -> None:
    assert padded_lengths(np.array([1, 8, 9, 99, 100]), 100).tolist() == [8, 8, 16, 100, 100]
