"""The linear chain: its sums and its best path by enumeration, its gradients by differences, its limits."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from helpers import CELL_NAMES, central_differences, relative_error

from skrnn.core.data.dataset import Dataset
from skrnn.core.data.samplers import Minibatches
from skrnn.core.data.sequences import PackedSequences
from skrnn.core.model import chain
from skrnn.core.model.chain import Chain, chain_loss_gradient
from skrnn.core.model.network import Network
from skrnn.core.workspace import Workspace

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


# The chain as the loss of a network


def make_network(cell="gru", **kwargs):
    return Network.build_for_labels(cell, 2, 4, K, **kwargs)


def make_data(rng, lengths=(5, 1, 3, 3, 9, 2), share_unknown=0.3):
    sequences = PackedSequences.from_arrays([rng.standard_normal((n, 2)) for n in lengths], np.float64)
    labels = np.where(rng.random(sum(lengths)) < share_unknown, K, rng.integers(0, K, sum(lengths)))
    return Dataset(sequences, labels, rng.uniform(0.5, 2, len(lengths)), is_per_step=True)


def make_batch(network, data, rng):
    masks = network.batcher.draw_masks(rng, len(data), np.dtype(float))
    return network.batcher.batch(data.sequences, np.arange(len(data)), data.targets, data.weights, masks)


def loss_and_gradient(network, params, batch):
    gradient = np.zeros_like(params)
    loss, _ = network.loss_gradient(params, batch, None, Workspace(params.dtype), gradient)
    return loss, gradient


@pytest.mark.parametrize("cell", CELL_NAMES)
@pytest.mark.parametrize(
    "kwargs",
    [{"bidirectional": False}, {}, {"n_layers": 2, "dropout": 0.3}, {"bidirectional": False, "recompute": True}],
    ids=str,
)
def test_every_derivative_of_a_network_with_a_chain(cell, kwargs, rng):
    network = make_network(cell, **kwargs)
    params = network.initialize(rng) + 0.3 * rng.standard_normal(network.layout.size)
    batch = make_batch(network, make_data(rng), rng)

    _, gradient = loss_and_gradient(network, params, batch)

    wanted = central_differences(lambda: loss_and_gradient(network, params, batch)[0], params)
    assert relative_error(gradient, wanted) < 1e-6


def test_ragged_is_the_sum_of_its_parts(rng):
    network = make_network(n_layers=2)
    params = network.initialize(rng) + 0.3 * rng.standard_normal(network.layout.size)
    batch = make_batch(network, make_data(rng), rng)

    whole = loss_and_gradient(network, params, batch)

    parts = [loss_and_gradient(network, params, batch.take(np.array([k]))) for k in range(6)]
    assert whole[0] == pytest.approx(sum(loss for loss, _ in parts), rel=1e-12)
    np.testing.assert_allclose(whole[1], sum(gradient for _, gradient in parts), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("batch_size", [1, 40, 2**18])
def test_predictions_have_the_loss_that_training_lowers(batch_size, rng, monkeypatch):
    monkeypatch.setattr(chain, "_BATCH_SIZE", batch_size)
    network, data = make_network(), make_data(rng)
    params = network.initialize(rng) + 0.3 * rng.standard_normal(network.layout.size)
    head, lengths = network.views(params)["head"], data.sequences.lengths

    emissions = network.predict(params, data.sequences, Workspace(float))

    loss, _ = loss_and_gradient(network, params, make_batch(network, data, rng))
    log_likelihood = network.loss.log_likelihood(emissions, data.targets, lengths, head)
    assert -data.weights @ log_likelihood == pytest.approx(loss, rel=1e-12)
    marginals = network.loss.marginals(emissions, lengths, head)
    np.testing.assert_allclose(marginals.sum(axis=1), 1, rtol=1e-12)
    best = network.loss.best_labels(emissions, lengths, head)
    ends = np.cumsum(lengths)
    for first, last in zip(ends - lengths, ends, strict=True):
        alone = Chain.of(head).best(emissions[first:last, :, None], np.array([last - first]))
        np.testing.assert_array_equal(best[first:last], alone[:, 0])


def test_counts_of_known_labels_normalise_the_loss(rng):
    data = make_data(rng)
    counts = np.array([4, 1, 2, 1, 5, 2])
    counted = replace(data, counts=counts)
    assert counted.n_targets == 15
    assert counted.total_weight == pytest.approx(data.weights @ counts)
    assert counted.take(np.array([2, 0])).counts.tolist() == [2, 4]
    ((batch, share),) = Minibatches().batches(counted, make_network().batcher, 9, rng, np.dtype(float), shuffle=False)
    assert share == 1
    assert batch.weights @ counts[batch.indices] == pytest.approx(1)


@pytest.mark.parametrize("scale", [1, 30, 1000], ids=["usual", "sharp", "beyond the range of exp"])
@pytest.mark.parametrize("batch_size", [1, 2**18])
def test_log_odds_equal_enumeration_and_their_gradient_differences(scale, batch_size, rng, monkeypatch):
    monkeypatch.setattr(chain, "_BATCH_SIZE", batch_size)
    weights = {"W_t": scale * rng.standard_normal((K, K)), "b_first": np.ones(K), "b_last": rng.standard_normal(K)}
    labels, steps, lengths = np.array([2, 0, 1, 1]), np.array([3, 2, 0, 0]), np.array([4, 5, 1, 3])
    loss, emissions = chain.LinearChain(K), scale * rng.standard_normal((lengths.sum(), K))

    found, gradient = loss.log_odds(emissions, labels, steps, lengths, weights)

    for i, z in enumerate(np.split(emissions, np.cumsum(lengths)[:-1])):
        labellings = np.array(list(product(range(K), repeat=len(z))))
        scores = np.array([score(Chain.of(weights), z, labelling) for labelling in labellings])
        has = labellings[:, steps[i]] == labels[i]
        assert found[i] == pytest.approx(log_sum_exp(scores[has]) - log_sum_exp(scores[~has]), rel=1e-10)
    if scale == 1:
        asked = labels, steps, lengths, weights
        wanted = central_differences(lambda: loss.log_odds(emissions, *asked)[0].sum(), emissions)
        assert relative_error(gradient, wanted) < 1e-6
