import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skrnn.core.data.batch import Batcher, SequenceBatch, minibatches
from skrnn.core.data.dataset import Dataset
from skrnn.core.data.samplers import Minibatches
from skrnn.core.data.segments import Cutting, cut_segments, rows_by_segment
from skrnn.core.data.sequences import PackedSequences, SequencesInPlace

lengths_lists = st.lists(st.integers(1, 30), min_size=1, max_size=20)


@pytest.fixture
def packed(rng):
    return PackedSequences.from_arrays([rng.standard_normal((n, 2)) for n in (3, 1, 4)], np.float64)


def test_packed_sequences_lie_behind_each_other_with_a_one(packed):
    assert len(packed) == 3
    assert packed.n_features == 2
    assert packed.offsets.tolist() == [0, 3, 4]
    assert packed.steps.shape == (8, 3)
    assert (packed.steps[:, -1] == 1).all()


def test_take_is_in_the_order_asked_for_and_copies_nothing(packed):
    taken = packed.take(np.array([2, 0, 2]))

    arrays = packed.arrays()
    for got, wanted in zip(taken.arrays(), [arrays[2], arrays[0], arrays[2]], strict=True):
        np.testing.assert_array_equal(got, wanted)
    assert taken.steps is packed.steps


@pytest.mark.parametrize("container", [PackedSequences, SequencesInPlace])
def test_slices_have_arrays_of_their_own_lengths(container, rng):
    X = rng.standard_normal((2, 5, 3))

    slices = container.from_rectangle(X).slices(np.array([6, 1]), np.array([2, 3]))

    assert slices.n_features == 3
    assert slices.n_steps == 5
    for got, wanted in zip(slices.arrays(), (X[1, 1:3], X[0, 1:4]), strict=True):
        np.testing.assert_array_equal(got, wanted)


def test_a_rectangle_packs_as_its_rows(rng):
    X = rng.standard_normal((4, 3, 2))

    packed = PackedSequences.from_rectangle(X)

    np.testing.assert_array_equal(packed.arrays(), X)
    assert packed.lengths.tolist() == [3, 3, 3, 3]


@given(lengths_lists, st.sampled_from([0, 1, 10, 100, np.inf]), st.sampled_from([1, 7, 40, np.inf]))
def test_segments_cover_every_step_of_every_sequence_once(lengths, max_padding, max_size):
    lengths = np.sort(lengths)[::-1]

    segments = cut_segments(lengths, Cutting(max_padding, max_size))

    covered = np.zeros((len(lengths), lengths[0]), dtype=int)
    width, clock = len(lengths), 0
    for segment in segments:
        assert segment.start == clock
        assert segment.n_columns <= width
        assert segment.n_steps * segment.n_columns <= max(max_size, segment.n_columns)
        clock += segment.n_steps
        width = segment.n_columns
        reached = 0
        for first, last, n_active in segment.active_ranges:
            assert first == reached
            assert 1 <= n_active <= segment.n_columns
            covered[:n_active, segment.start + first : segment.start + last] += 1
            reached = last
        assert reached == segment.n_steps
    assert clock == lengths[0]
    np.testing.assert_array_equal(covered, np.arange(lengths[0]) < lengths[:, None])


@given(lengths_lists)
def test_exact_cuts_pad_nothing(lengths):
    lengths = np.sort(lengths)[::-1]

    segments = cut_segments(lengths)

    assert sum(s.n_steps * s.n_columns for s in segments) == lengths.sum()
    assert len(segments) == len(np.unique(lengths))


@given(lengths_lists, st.sampled_from([5, 20, 60]))
def test_merged_cuts_pad_little(lengths, max_padding):
    lengths = np.sort(lengths)[::-1]

    for segment in cut_segments(lengths, Cutting(max_padding)):
        alive = sum((last - first) * n for first, last, n in segment.active_ranges)
        opening, *_ = segment.active_ranges
        rounding = (opening[1] - opening[0]) * 3  # the first range is taken whole: its width is rounded up
        assert segment.n_steps * segment.n_columns - alive <= max(max_padding, rounding)


def test_equal_lengths_are_one_segment_and_infinite_padding_never_cuts():
    assert len(cut_segments(np.array([7, 7, 7]))) == 1
    assert len(cut_segments(np.array([7, 5, 1]), Cutting(max_padding=np.inf))) == 1


@given(lengths_lists, st.sampled_from([0, 10, np.inf]), st.sampled_from([5, np.inf]))
def test_gather_and_reversal(lengths, max_padding, max_size):
    lengths = np.sort(lengths)[::-1]
    arrays = [np.stack([np.full(n, j), np.arange(n)], axis=1) for j, n in enumerate(lengths)]
    data = PackedSequences.from_arrays(arrays, np.float64)
    n, nothing = len(lengths), np.empty(0)
    batch = SequenceBatch(data, np.arange(n), Cutting(max_padding, max_size), nothing, np.ones(n))

    x = batch.gather(np.empty((batch.n_rows, 3)))
    mirrored = x[batch.reversal()]

    np.testing.assert_array_equal(x[batch.reversal()][batch.reversal()], x)
    for segment, rows, back in zip(
        batch.segments, rows_by_segment(x, batch.segments), rows_by_segment(mirrored, batch.segments), strict=True
    ):
        for t in range(segment.n_steps):
            step = segment.start + t
            for j in range(segment.n_columns):
                last = lengths[j] - 1
                assert rows[t, j].tolist() == [j, min(step, last), 1]
                assert back[t, j].tolist() == [j, last - step if step <= last else last, 1]


def test_minibatches_have_each_number_once(rng):
    batches = minibatches(10, 4, rng)

    assert [len(batch) for batch in batches] == [4, 4, 2]
    assert sorted(np.concatenate(batches)) == list(range(10))
    assert np.concatenate(batches).tolist() != list(range(10))


def test_a_full_batch_is_never_shuffled_and_draws_nothing(rng):
    before = rng.bit_generator.state

    (batch,) = minibatches(10, 10, rng)

    assert batch.tolist() == list(range(10))
    assert rng.bit_generator.state == before


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_masks_are_drawn_for_each_layer_and_sequence(dtype, rng):
    batcher = Batcher(dropout=0.2, n_layers=2, n_outputs=50)

    masks, later = (batcher.draw_masks(rng, 40, np.dtype(dtype)) for _ in range(2))

    assert len({row.tobytes() for mask in (*masks, *later) for row in mask}) == 4 * 40
    for mask in (*masks, *later):
        assert mask.dtype == dtype
        assert mask.shape == (40, 50)
        assert set(mask.ravel()) == {0, dtype(1.25)}
        assert np.mean(mask == 0) == pytest.approx(0.2, abs=0.04)
    assert Batcher(n_layers=2, n_outputs=50).draw_masks(rng, 40, np.dtype(dtype)) is None


def test_every_minibatch_draws_masks_that_go_with_its_sequences(packed, rng):
    batcher, data = Batcher(dropout=0.5, n_layers=1, n_outputs=30), Dataset(packed, np.zeros(3, int), np.ones(3))

    epochs = [list(Minibatches().batches(data, batcher, 2, rng, np.dtype(float))) for _ in range(2)]
    drawn = [row.tobytes() for epoch in epochs for batch, _ in epoch for row in batch.masks[0]]
    batch = batcher.batch(packed, np.arange(3), masks=(np.arange(3.0)[:, None], np.arange(3.0)[:, None] + 5))

    assert len(set(drawn)) == 6
    assert [mask.ravel().tolist() for mask in batch.masks] == [[2, 0, 1], [7, 5, 6]]
    assert data.full_batch(batcher, np.dtype(float)).masks is None
