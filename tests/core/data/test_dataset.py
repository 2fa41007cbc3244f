"""The canonical form of a data set: the same for repeated sequences and for weighted ones."""

import numpy as np
from helpers import make_set

from skrnn.core.data.dataset import Dataset
from skrnn.core.data.sequences import PackedSequences


def test_canonical_form_is_the_same_for_repeated_and_for_weighted(rng):
    data = make_set(rng, 6, weights=np.array([1.0, 2.0, 3.0, 1.0, 1.0, 2.0]))
    repeated = data.take(np.repeat(np.arange(6), data.weights.astype(int))[rng.permutation(10)])
    repeated = Dataset(repeated.sequences, repeated.targets, np.ones(10))

    first, second = data.canonical(), repeated.canonical()

    for a, b in zip(first.sequences.arrays(), second.sequences.arrays(), strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(first.targets, second.targets)
    np.testing.assert_array_equal(first.weights, second.weights)


def test_equal_sequences_with_different_labels_stay_apart():
    data = Dataset(PackedSequences.from_arrays([np.ones((2, 1))] * 3, float), np.array([0, 1, 0]), np.ones(3))

    assert data.canonical().targets.tolist() == [0, 1]
    assert data.canonical().weights.tolist() == [2, 1]


def test_equal_steps_in_sequences_of_other_shape_stay_apart():
    arrays = [np.ones((2, 1)), np.ones((3, 1))]
    data = Dataset(PackedSequences.from_arrays(arrays, float), np.array([0, 0]), np.ones(2))

    assert data.canonical().sequences.lengths.tolist() == [2, 3]
