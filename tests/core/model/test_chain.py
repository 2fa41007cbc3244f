"""The linear chain: its sums and its best path by enumeration, its gradients by differences, its limits."""

from itertools import product

import numpy as np
import pytest
from helpers import central_differences, relative_error

from skrnn.core.model.chain import Chain, chain_loss_gradient

K, LENGTHS = 3, np.array([5, 3, 3, 1])


def make_chain(rng, scale=1.0):
    return Chain(*(scale * rng.standard_normal(shape) for shape in ((K, K), K, K)))


def make_emissions(rng, scale=1.0):
    """NaN where a column has ended: nothing may read it."""
    emissions = scale * rng.standard_normal((LENGTHS[0], K, len(LENGTHS)))
    for column, length in enumerate(LENGTHS):
        emissions[length:, :, column] = np.nan
    return emissions


def score(chain, z, labels):
    """Equation (1) of one column z (T, K)."""
    pairs = sum(chain.pairs[a, b] for a, b in zip(labels[:-1], labels[1:], strict=True))
    return chain.first[labels[0]] + chain.last[labels[-1]] + pairs + sum(z[t, y] for t, y in enumerate(labels))


def enumerated(chain, emissions):
    """For each column all labellings (K ** T, T), and the score of each."""
    for column, length in enumerate(LENGTHS):
        labellings = list(product(range(K), repeat=int(length)))
        scores = np.array([score(chain, emissions[:length, :, column], labels) for labels in labellings])
        yield column, length, np.array(labellings), scores


def log_sum_exp(scores):
    return scores.max() + np.log(np.exp(scores - scores.max()).sum())


@pytest.mark.parametrize("scale", [1, 30, 1000], ids=["usual", "sharp", "beyond the range of exp"])
def test_log_partition_marginals_and_best_path_equal_enumeration(scale, rng):
    chain, emissions = make_chain(rng, scale), make_emissions(rng, scale)

    recursion = chain.forward(emissions, LENGTHS)
    gradient = chain.backward(recursion, LENGTHS, np.ones(len(LENGTHS)))
    best = chain.best(emissions, LENGTHS)

    d_pairs, d_last = np.zeros((K, K)), np.zeros(K)
    for column, length, labellings, scores in enumerated(chain, emissions):
        proba = np.exp(scores - log_sum_exp(scores))
        assert recursion.log_z[column] == pytest.approx(log_sum_exp(scores), rel=1e-12)
        for t in range(length):
            marginals = np.bincount(labellings[:, t], proba, K)
            np.testing.assert_allclose(gradient.emissions[t, :, column], marginals, atol=1e-10)
        np.testing.assert_array_equal(gradient.emissions[length:, :, column], 0)
        np.testing.assert_array_equal(best[:length, column], labellings[scores.argmax()])
        for p, labels in zip(proba, labellings, strict=True):
            np.add.at(d_pairs, (labels[:-1], labels[1:]), p)
            d_last[labels[-1]] += p
    np.testing.assert_allclose(gradient.pairs, d_pairs, atol=1e-10)
    np.testing.assert_allclose(gradient.last, d_last, atol=1e-10)
    np.testing.assert_allclose(gradient.first, gradient.emissions[0].sum(axis=1), atol=1e-10)


def test_the_only_way_may_be_far_below_the_others(rng):
    """The best label leads nowhere, so that a product of exponentials would lose all terms."""
    chain, emissions = make_chain(rng), make_emissions(rng)
    chain.pairs[...] = -2000.0 * (1 - np.eye(K))
    emissions[0] += np.array([[0.0], [-900.0], [-1800.0]])
    emissions[1] += np.array([[-5000.0], [0.0], [-5000.0]])

    recursion = chain.forward(emissions, LENGTHS)
    gradient = chain.backward(recursion, LENGTHS, np.ones(len(LENGTHS)))

    for column, length, labellings, scores in enumerated(chain, emissions):
        assert recursion.log_z[column] == pytest.approx(log_sum_exp(scores), rel=1e-12)
        proba = np.exp(scores - log_sum_exp(scores))
        for t in range(length):
            np.testing.assert_allclose(
                gradient.emissions[t, :, column], np.bincount(labellings[:, t], proba, K), atol=1e-10
            )


@pytest.mark.parametrize("share_unknown", [0, 0.5])
def test_the_loss_is_that_of_the_known_labels(share_unknown, rng):
    chain, emissions, weights = make_chain(rng), make_emissions(rng), rng.uniform(0.5, 2, len(LENGTHS))
    labels = np.where(rng.random((LENGTHS[0], len(LENGTHS))) < share_unknown, K, rng.integers(0, K, (5, 4)))

    loss, _ = chain_loss_gradient(chain, emissions, labels, LENGTHS, weights)

    wanted = 0.0
    for column, length, labellings, scores in enumerated(chain, emissions):
        known = labels[:length, column]
        agrees = ((labellings == known) | (known == K)).all(axis=1)
        wanted += weights[column] * (log_sum_exp(scores) - log_sum_exp(scores[agrees]))
    assert loss == pytest.approx(wanted, rel=1e-12)


@pytest.mark.parametrize("share_unknown", [0, 0.5])
def test_gradients_of_the_loss_equal_central_differences(share_unknown, rng):
    chain, weights = make_chain(rng), rng.uniform(0.5, 2, len(LENGTHS))
    emissions = np.nan_to_num(make_emissions(rng))
    labels = np.where(rng.random((LENGTHS[0], len(LENGTHS))) < share_unknown, K, rng.integers(0, K, (5, 4)))

    _, gradient = chain_loss_gradient(chain, emissions, labels, LENGTHS, weights)

    arrays = {"emissions": emissions, "pairs": chain.pairs, "first": chain.first, "last": chain.last}
    for name, array in arrays.items():
        wanted = central_differences(lambda: chain_loss_gradient(chain, emissions, labels, LENGTHS, weights)[0], array)
        assert relative_error(getattr(gradient, name), wanted) < 1e-6, name


def test_all_unknown_is_no_loss(rng):
    chain, emissions = make_chain(rng), make_emissions(rng)

    loss, gradient = chain_loss_gradient(chain, emissions, np.full((5, 4), K), LENGTHS, np.ones(4))

    assert loss == pytest.approx(0, abs=1e-12)
    np.testing.assert_allclose(gradient.emissions, 0, atol=1e-12)


def test_one_label_is_certain(rng):
    chain = Chain(np.ones((1, 1)), np.ones(1), np.ones(1))
    emissions = rng.standard_normal((3, 1, 2))

    loss, _ = chain_loss_gradient(chain, emissions, np.zeros((3, 2), int), np.array([3, 2]), np.ones(2))

    assert loss == pytest.approx(0, abs=1e-12)
