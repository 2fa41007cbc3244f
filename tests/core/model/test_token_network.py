"""The laws for a network that predicts after every step, and for the batches that it learns from."""

from dataclasses import replace

import numpy as np
import pytest
from helpers import CELL_NAMES, central_differences, relative_error, spoil, with_limits
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from oracles import STEPS

from skrnn._parallel.sharding import sharded_loss_gradient
from skrnn._token_scores import TokenScores
from skrnn.core.data.dataset import Dataset
from skrnn.core.data.samplers import TruncatedBPTT
from skrnn.core.data.segments import Cutting
from skrnn.core.data.sequences import NextTokenSequences
from skrnn.core.model.inputs import sum_by_token
from skrnn.core.model.network import Network
from skrnn.core.model.state import State
from skrnn.core.workspace import Workspace

N_INPUTS, N_OUTPUTS, H = 5, 4, 3
RAGGED = [5, 1, 3, 7, 2, 2]
VARIANTS = {
    "plain": {},
    "stacked": {"n_layers": 2},
    "embedding": {"embedding_size": 2},
    "tied": {"embedding_size": H, "tie_weights": True},
    "all": {"embedding_size": H, "tie_weights": True, "n_layers": 2, "dropout": 0.4},
}

each_cell = pytest.mark.parametrize("cell", CELL_NAMES)
each_variant = pytest.mark.parametrize("kwargs", VARIANTS.values(), ids=VARIANTS)


def make_network(cell, **kwargs):
    return Network.build_for_tokens(cell, N_INPUTS, H, N_OUTPUTS, **kwargs)


def make_scores(cell, unknown_probability=None, **kwargs):
    return TokenScores(make_network(cell, **kwargs), unknown_probability)


def make_params(network, rng):
    """Parameters with no zeros: no gradient can be right by accident."""
    return network.initialize(rng) + 0.3 * rng.standard_normal(network.layout.size)


def make_data(rng, lengths=RAGGED):
    """Random tokens; a sequence may begin with one that is only read."""
    lengths = np.array(lengths)
    offsets = np.cumsum(lengths + 1) - lengths - 1
    ids = rng.integers(0, N_OUTPUTS, (lengths + 1).sum()).astype(np.uint8)
    ids[offsets] = rng.integers(0, N_INPUTS, len(lengths))
    return NextTokenSequences(ids, lengths, offsets)


def make_batch(network, data, rng, dtype=np.float64):
    n = len(data)
    masks = network.batcher.draw_masks(rng, n, np.dtype(dtype))
    return network.batcher.batch(data, np.arange(n), data.next_ids, rng.random(n).astype(dtype), masks)


def draw_state(network, rng, n):
    """A state with no zeros."""
    zero = network.stack.zero_state(n, np.float64)
    return State(tuple(tuple(0.5 * rng.standard_normal(v.shape) for v in layer) for layer in zero.layers))


def loss_gradient_state(network, params, batch, state, workspace=None):
    gradient = np.zeros_like(params)
    loss, state = network.loss_gradient(params, batch, state, workspace or Workspace(params.dtype), gradient)
    return loss, gradient, state


def loss_and_gradient(network, params, batch, state=None, workspace=None):
    return loss_gradient_state(network, params, batch, state, workspace)[:2]


def assert_states_close(got, wanted, **tolerance):
    for layer, layer_wanted in zip(got.layers, wanted.layers, strict=True):
        for v, v_wanted in zip(layer, layer_wanted, strict=True):
            assert_allclose(v, v_wanted, **tolerance)


def steps_of(data):
    """What is read and what is to be predicted in each sequence, as arrays (T, 2)."""
    return [np.stack([ids[:-1], ids[1:]], axis=1) for ids in data.arrays()]


# The slow oracle: one sequence and one step at a time.


def run_slowly(network, cell, params, tokens, state=None, masks=None):
    """Log-probabilities (T, K) after each of tokens (T,), and the state of every layer there."""
    weights = network.layout.views(params)
    E = weights["embedding"]["E"] if "embedding" in weights else np.eye(N_INPUTS)
    W_y = E[:N_OUTPUTS] if network.is_tied else weights["head"]["W_y"]
    state = list(state) if state else [[np.zeros(H)] * network.stack.cell.n_states] * network.stack.n_layers
    log_proba = []
    for token in tokens:
        x = E[token]
        for k in range(network.stack.n_layers):
            state[k] = STEPS[cell](weights[f"rnn.{k}"], x, *state[k])
            x = state[k][0] if masks is None else state[k][0] * masks[k]
        z = W_y @ x + weights["head"]["b_y"]
        log_proba.append(z - np.log(np.exp(z).sum()))
    return np.array(log_proba), state


@each_cell
@each_variant
def test_log_probabilities_equal_the_equations_step_by_step(cell, kwargs, rng):
    network = make_network(cell, **kwargs)
    params, data = make_params(network, rng), make_data(rng)

    log_proba = TokenScores(network, None).token_log_proba(params, data, Workspace(np.float64))

    wanted = [
        run_slowly(network, cell, params, steps[:, 0])[0][np.arange(len(steps)), steps[:, 1]]
        for steps in steps_of(data)
    ]
    assert_allclose(log_proba, np.concatenate(wanted), rtol=1e-12, atol=1e-13)


@each_cell
@each_variant
def test_loss_equals_the_equations_with_masks_and_state(cell, kwargs, rng):
    network = make_network(cell, **kwargs)
    params, data = make_params(network, rng), make_data(rng)
    batch, state = make_batch(network, data, rng), draw_state(network, rng, len(data))
    before = state.copy()

    loss, _, after = loss_gradient_state(network, params, batch, state)

    assert_states_close(state, before, rtol=0)  # which is not overwritten

    wanted = 0.0
    for column, index in enumerate(batch.indices):
        steps = steps_of(data)[index]
        masks = None if batch.masks is None else [mask[column] for mask in batch.masks]
        first = [[v[:, column] for v in layer] for layer in state.layers]
        log_proba, last = run_slowly(network, cell, params, steps[:, 0], first, masks)
        wanted -= batch.weights[column] * log_proba[np.arange(len(steps)), steps[:, 1]].sum()
        of_column = State(tuple(tuple(v[:, None] for v in layer) for layer in last))
        assert_states_close(after.take([column]), of_column, rtol=1e-12, atol=1e-13)
    assert loss == pytest.approx(wanted, rel=1e-12)


@each_cell
@each_variant
def test_gradient_equals_central_differences(cell, kwargs, rng):
    network = make_network(cell, **kwargs)
    params, data = make_params(network, rng), make_data(rng)
    batch = make_batch(network, data, rng)

    _, gradient = loss_and_gradient(network, params, batch)

    wanted = central_differences(lambda: loss_and_gradient(network, params, batch)[0], params)
    assert relative_error(gradient, wanted) < 1e-6
    assert (gradient != 0).mean() > 0.5


@each_cell
@pytest.mark.parametrize("name", ["plain", "all"])
def test_gradient_equals_central_differences_with_an_initial_state(cell, name, rng):
    network = make_network(cell, **VARIANTS[name])
    params, data = make_params(network, rng), make_data(rng)
    batch, state = make_batch(network, data, rng), draw_state(network, rng, len(data))

    _, gradient = loss_and_gradient(network, params, batch, state)

    wanted = central_differences(lambda: loss_and_gradient(network, params, batch, state)[0], params)
    assert relative_error(gradient, wanted) < 1e-6


@each_cell
def test_a_single_step_has_a_gradient(cell, rng):
    network = make_network(cell)
    params, data = make_params(network, rng), make_data(rng, [1])
    batch = make_batch(network, data, rng)

    parts = network.layout.views(loss_and_gradient(network, params, batch)[1])

    read = data.ids[0]
    assert np.abs(parts["rnn.0"]["W_x"][:, read]).max() > 0
    assert np.abs(np.delete(parts["rnn.0"]["W_x"], read, axis=1)).max() == 0
    assert np.abs(parts["rnn.0"]["W_h"]).max() == 0  # there was no state before


@each_cell
@settings(max_examples=15, deadline=None)
@given(
    lengths=st.lists(st.integers(1, 12), min_size=1, max_size=9),
    max_padding=st.sampled_from([0, 3, 12, np.inf]),
    max_size=st.sampled_from([1, 5, 30, np.inf]),
    kwargs=st.sampled_from(list(VARIANTS.values())),
)
def test_ragged_is_the_sum_of_its_parts(cell, lengths, max_padding, max_size, kwargs):
    """Merged segments hold padding, which adds nothing: neither to the loss, nor to a gradient, nor to the state."""
    rng = np.random.default_rng(1)
    network = make_network(cell, **kwargs)
    params, data = make_params(network, rng), make_data(rng, lengths)
    batch, state = make_batch(network, data, rng), draw_state(network, rng, len(data))
    batch = replace(batch, cutting=Cutting(max_padding, max_size))

    loss, gradient, after = loss_gradient_state(network, params, batch, state)

    parts = [
        loss_gradient_state(network, params, batch.take(np.array([k])), state.take([k])) for k in range(len(lengths))
    ]
    assert loss == pytest.approx(sum(part[0] for part in parts), rel=1e-12)
    assert_allclose(gradient, sum(part[1] for part in parts), rtol=1e-10, atol=1e-12)
    for k, (*_, after_part) in enumerate(parts):
        assert_states_close(after.take([k]), after_part, rtol=1e-12, atol=1e-13)


@each_cell
def test_buffers_hold_no_memory(cell, rng):
    network = make_network(cell, **VARIANTS["all"])
    params, workspace = make_params(network, rng), Workspace(np.float64)
    batches = [make_batch(network, make_data(rng, lengths), rng) for lengths in (RAGGED, [20, 3, 3, 3, 1])]
    data = make_data(rng)

    def run(batch):
        return *loss_and_gradient(network, params, batch, None, workspace), TokenScores(network, None).token_log_proba(
            params, data, workspace
        )

    first = run(batches[0])
    run(batches[1])
    spoil(workspace)
    again = run(batches[0])

    assert first[0] == again[0]
    assert_array_equal(first[1], again[1])
    assert_array_equal(first[2], again[2])


@each_cell
@pytest.mark.parametrize("unknown_probability", [None, 0.01])
def test_dtype_is_kept(cell, unknown_probability, rng):
    scores = make_scores(cell, unknown_probability, **VARIANTS["all"])
    network = scores.network
    params, data, workspace = network.initialize(rng, np.float32), make_data(rng), Workspace(np.float32)
    batch, before = make_batch(network, data, rng, "f4"), network.stack.zero_state(len(data), np.dtype("f4"))

    _, gradient, after = loss_gradient_state(network, params, batch, before, workspace)
    h, state = scores.read(params, data, workspace)

    assert params.dtype == gradient.dtype == h.dtype == np.float32
    assert scores.token_log_proba(params, data, workspace).dtype == np.float32
    assert scores.log_proba_after(params, h).dtype == np.float32
    log_proba, state = scores.advance(scores.pack(params, workspace), data.ids[data.offsets], state, workspace)
    assert log_proba.dtype == np.float32
    assert {v.dtype for layer in (*state.layers, *after.layers) for v in layer} == {np.dtype("f4")}
    in_double = scores.token_log_proba(params.astype(float), data, Workspace(np.float64))
    assert_allclose(scores.token_log_proba(params, data, workspace), in_double, rtol=1e-4)


# Windows, slices, single steps: the state is carried.


WINDOWS = [(1, 1), (3, 4), (3, 1000), (1000, 7), (1000, 1000)]


@each_cell
@pytest.mark.parametrize(("width", "size"), WINDOWS)
def test_windows_of_any_size_measure_the_same(cell, width, size, rng):
    scores = make_scores(cell, 0.01, n_layers=2, embedding_size=2)
    params, workspace = make_params(scores.network, rng), Workspace(np.float64)
    data = make_data(rng, [5, 0, 1, 23, 3, 0, 9, 2])
    data.ids[4] = N_OUTPUTS  # unknown
    wanted = [f(params, data, workspace) for f in (scores.token_log_proba, scores.token_rank)]
    wanted_sums = [wanted[0][a - n : a].sum() for a, n in zip(np.cumsum(data.lengths), data.lengths, strict=True)]
    wanted_h, wanted_state = scores.read(params, data.take(np.flatnonzero(data.lengths)), workspace)

    limited = with_limits(scores.network, inference_columns=(width, width), inference_steps=size)
    scores = replace(scores, network=limited)

    assert_allclose(scores.token_log_proba(params, data, workspace), wanted[0], rtol=0, atol=1e-12)
    assert_array_equal(scores.token_rank(params, data, workspace), wanted[1])
    assert_allclose(scores.log_likelihood(params, data, workspace), wanted_sums, rtol=0, atol=1e-12)
    h, state = scores.read(params, data.take(np.flatnonzero(data.lengths)), workspace)
    assert_allclose(h, wanted_h, rtol=0, atol=1e-12)
    assert_states_close(state, wanted_state, rtol=0, atol=1e-12)


@each_cell
def test_measures_of_slices_are_those_of_their_steps(cell, rng):
    """Slices may lie anywhere and overlap: what is measured comes in the order of the sequences."""
    network = make_network(cell)
    params, data, workspace = make_params(network, rng), make_data(rng, [12, 5]), Workspace(np.float64)
    slices = data.slices(np.array([13, 3, 5]), np.array([4, 6, 2]))
    copies = NextTokenSequences(np.concatenate(slices.arrays()), slices.lengths, np.array([0, 5, 12]))

    log_proba = TokenScores(network, None).token_log_proba(params, slices, workspace)

    assert_allclose(log_proba, TokenScores(network, None).token_log_proba(params, copies, workspace), rtol=1e-12)


@each_cell
@each_variant
def test_steps_compose(cell, kwargs, rng):
    scores = make_scores(cell, 0.01, **kwargs)
    params, data, workspace = make_params(scores.network, rng), make_data(rng, [8] * 3), Workspace(np.float64)
    tokens, state = np.array(steps_of(data)), scores.network.start(3, np.float64)
    log_proba, packed = np.empty((3, 8)), scores.pack(params, workspace)

    for t in range(8):
        after, state = scores.advance(packed, tokens[:, t, 0], state, workspace)
        assert_allclose(np.exp(after).sum(axis=1), 1)
        log_proba[:, t] = after[np.arange(3), tokens[:, t, 1]]

    assert_allclose(log_proba.ravel(), scores.token_log_proba(params, data, workspace), rtol=0, atol=1e-12)
    h, state_read = scores.read(params, data, workspace)
    assert_allclose(scores.log_proba_after(params, h), after, rtol=0, atol=1e-12)
    assert_states_close(state_read, state, rtol=0, atol=1e-12)


def test_the_unknown_column_is_taken_from_all_others(rng):
    known, unknown = make_scores("gru"), make_scores("gru", 0.2)
    params, data, workspace = make_params(known.network, rng), make_data(rng), Workspace(np.float64)
    h, _ = known.read(params, data, workspace)

    proba = np.exp(unknown.log_proba_after(params, h))

    assert_allclose(proba[:, :-1], 0.8 * np.exp(known.log_proba_after(params, h)))
    assert_allclose(proba[:, -1], 0.2)


@pytest.mark.parametrize("unknown_probability", [None, 0.3])
def test_ranks_count_what_is_likelier(unknown_probability, rng):
    scores = make_scores("lstm", unknown_probability)
    params, data, workspace = make_params(scores.network, rng), make_data(rng), Workspace(np.float64)
    if unknown_probability:
        data.ids[::3] = N_OUTPUTS

    ranks = scores.token_rank(params, data, workspace)

    wanted = []
    for steps in steps_of(data):
        for t, target in enumerate(steps[:, 1]):
            prefix = NextTokenSequences(np.append(steps[: t + 1, 0], 0), np.array([t + 1]), np.array([0]))
            (proba,) = scores.log_proba_after(params, scores.read(params, prefix, workspace)[0])
            wanted.append(1 + (proba > proba[target]).sum())
    assert_array_equal(ranks, wanted)


# The gradient of a table


@pytest.mark.parametrize("n_tokens", [1, 3, 40])
def test_both_ways_to_sum_by_token_agree(n_tokens, rng):
    rows, tokens = rng.standard_normal((60, 4)), rng.integers(0, n_tokens, 60)
    wanted = np.zeros((n_tokens, 4))
    np.add.at(wanted, tokens, rows)

    for limit in (0, n_tokens):
        assert_allclose(sum_by_token(rows, tokens, n_tokens, limit), wanted, atol=1e-13)
        assert sum_by_token(rows.astype("f4"), tokens, n_tokens, limit).dtype == np.float32


@each_cell
@each_variant
def test_large_vocabularies_have_the_same_gradient(cell, kwargs, rng):
    network = make_network(cell, **kwargs)
    params = make_params(network, rng)
    batch = make_batch(network, make_data(rng), rng)

    by_product = loss_and_gradient(network, params, batch)[1]
    sorting = replace(network, stack=replace(network.stack, input=replace(network.stack.input, max_one_hot=0)))
    by_sorting = loss_and_gradient(sorting, params, batch)[1]

    assert_allclose(by_sorting, by_product, rtol=1e-11, atol=1e-13)


@each_cell
@each_variant
def test_some_steps_at_a_time_have_the_same_gradient(cell, kwargs, rng):
    network = make_network(cell, **kwargs)
    params, batch = make_params(network, rng), make_batch(network, make_data(rng), rng)

    loss, gradient = loss_and_gradient(network, params, batch)
    by_steps = with_limits(network, raw_size=2 * N_OUTPUTS * len(batch.indices))
    loss_by_steps, gradient_by_steps = loss_and_gradient(by_steps, params, batch)

    assert loss_by_steps == pytest.approx(loss, rel=1e-13)
    assert_allclose(gradient_by_steps, gradient, rtol=1e-11, atol=1e-14)


def test_memory_of_some_steps_of_a_large_vocabulary(rng):
    n_tokens, n_steps, n = 3000, 100, 16
    network = Network.build_for_tokens("tanh", n_tokens, 4, n_tokens)
    ids = rng.integers(0, n_tokens, n * (n_steps + 1))
    data = NextTokenSequences(ids, np.full(n, n_steps), np.arange(n) * (n_steps + 1))
    params, workspace = network.initialize(rng), Workspace(np.float64)

    loss_and_gradient(network, params, make_batch(network, data, rng), None, workspace)

    assert workspace.size < n_tokens * n_steps * n  # once the raw predictions of all steps


# What is learned from: columns


N_STEPS = 4
"""Longest part."""


def token_set(data, weights):
    return Dataset(data, data.next_ids, weights, is_per_step=True)


def make_set(rng, lengths):
    """Every step is another: its input is its number. No step reads the last id of a sequence, which has none."""
    lengths = np.array(lengths)
    last = np.cumsum(lengths + 1) - 1
    ids = np.full(last[-1] + 1, -1)
    ids[np.delete(np.arange(len(ids)), last)] = np.arange(lengths.sum())
    weights = rng.uniform(0.5, 2, len(lengths))
    return token_set(NextTokenSequences(ids, lengths, last - lengths), weights)


def epoch(network, data, batch_size, rng, shuffle=True, read=lambda batch, state: state):
    """What an epoch holds: (step numbers, weight, masks, state before) of every part; `read` plays the network."""
    slices, shares, after = [], [], None
    batcher = network.batcher
    for batch, share in TruncatedBPTT(N_STEPS).batches(data, batcher, batch_size, rng, np.dtype(float), shuffle):
        slices.append([])
        shares.append(share)
        state = network.stack.state_before(batch, after, np.dtype(float))
        for column, index in enumerate(batch.indices):
            first, n = batch.data.offsets[index], batch.data.lengths[index]
            masks = None if batch.masks is None else [mask[column].copy() for mask in batch.masks]
            before = None if state is None else [v[:, column] for layer in state.layers for v in layer]
            slices[-1].append((data.sequences.ids[first : first + n].copy(), batch.weights[column], masks, before))
        after = read(batch, state)
    return slices, shares


SETS = [
    pytest.param([3, 1, 2, 4, 2], 5, id="one-batch"),
    pytest.param([3, 1, 2, 4, 2, 1, 1, 3], 3, id="short"),
    pytest.param([9, 2, 13, 1, 1, 6, 2], 3, id="long-and-short"),
    pytest.param([50, 3], 4, id="cut"),
    pytest.param([41], 3, id="one-text"),
    pytest.param([2], 7, id="more-columns-than-steps"),
]


@pytest.mark.parametrize(("lengths", "batch_size"), SETS)
@pytest.mark.parametrize("shuffle", [True, False])
def test_every_step_comes_once_an_epoch(lengths, batch_size, shuffle, rng):
    data, network = make_set(rng, lengths), make_network("gru")

    slices, shares = epoch(network, data, batch_size, rng, shuffle)

    steps = np.concatenate([steps for batch in slices for steps, *_ in batch])
    assert_array_equal(np.sort(steps), np.arange(sum(lengths)))
    assert all(len(batch) <= batch_size for batch in slices)
    assert all(1 <= len(steps) <= N_STEPS for batch in slices for steps, *_ in batch)
    assert all(np.all(np.diff(steps) == 1) for batch in slices for steps, *_ in batch)
    assert sum(shares) == pytest.approx(1)
    assert shares == pytest.approx([sum(len(steps) for steps, *_ in batch) / sum(lengths) for batch in slices])


@pytest.mark.parametrize(("lengths", "batch_size"), SETS)
def test_share_times_loss_is_the_weighted_mean(lengths, batch_size, rng):
    """Where a step's loss is its number; so minibatches weighted by their shares are the full batch."""
    data, network = make_set(rng, lengths), make_network("gru")

    slices, shares = epoch(network, data, batch_size, rng)

    loss = sum(
        share * sum(weight * steps.sum() for steps, weight, *_ in batch)
        for batch, share in zip(slices, shares, strict=True)
    )
    assert loss == pytest.approx(np.average(np.arange(sum(lengths)), weights=np.repeat(data.weights, lengths)))


@pytest.mark.parametrize(("lengths", "batch_size"), SETS)
def test_a_column_carries_its_state_and_begins_at_zero(lengths, batch_size, rng):
    """The stand-in for the network leaves the number of the last step in the state."""

    def read(batch, state):
        slices = batch.data.take(batch.indices)
        last = batch.data.ids[slices.offsets + slices.lengths - 1] + 1
        return state and State(tuple(tuple(np.full_like(v, last) for v in layer) for layer in state.layers))

    data, network = make_set(rng, lengths), make_network("lstm", n_layers=2)

    slices, _ = epoch(network, data, batch_size, rng, read=read)

    share = max(-(-sum(lengths) // batch_size), N_STEPS)
    begins = set()
    for first, n in zip(data.sequences.ids[data.sequences.offsets], lengths, strict=True):
        n_parts = -(-n // share)
        begins |= {first + n * part // n_parts for part in range(n_parts)}
    for batch in slices:
        for steps, _, _, before in batch:
            expected = 0 if steps[0] in begins else steps[0]
            if before is None:  # nothing is carried
                assert expected == 0
                continue
            assert_array_equal(before, np.full((4, H), expected))


def test_a_long_sequence_is_cut_into_equal_parts_that_begin_at_zero(rng):
    data, network = make_set(rng, [40]), make_network("gru")

    def read(batch, state):
        return State(tuple(tuple(v + 1 for v in layer) for layer in state.layers))

    slices, _ = epoch(network, data, 4, rng, read=read)

    assert [len(batch) for batch in slices] == [4, 4, 4]  # 10 steps each: 4, 4, 2
    assert sorted(steps[0] for steps, *_ in slices[0]) == [0, 10, 20, 30]
    for number, batch in enumerate(slices):
        assert all(np.all(np.array(before) == number) for *_, before in batch)


def test_parts_open_as_their_sequence_does(rng):
    data, network = make_set(rng, [40, 3, 22]), make_network("gru")
    sequences = data.sequences
    opening = {}
    for batch, _ in TruncatedBPTT(N_STEPS).batches(data, network.batcher, 4, rng, np.dtype(float)):
        for row, begins in zip(batch.data.offsets[batch.indices], batch.follows[batch.indices] < 0, strict=True):
            if begins:
                opening[int(row)] = int(batch.data.ids[row])

    whole = np.searchsorted(sequences.offsets, list(opening), side="right") - 1
    assert len(opening) > 3
    assert list(opening.values()) == sequences.ids[sequences.offsets[whole]].tolist()
    assert_array_equal(sequences.ids[:40], np.arange(40))  # the data stay as they were


def test_a_sequence_keeps_its_masks(rng):
    data, network = make_set(rng, [9, 2, 11, 1, 1, 6, 2, 2]), make_network("gru", dropout=0.5, n_layers=2)

    slices, _ = epoch(network, data, 3, rng)

    masks_of = {}
    for batch in slices:
        for steps, _, masks, _ in batch:
            sequence = np.searchsorted(np.cumsum(data.sequences.lengths), steps[0], side="right")
            masks_of.setdefault(sequence, []).append(np.array(masks))
    assert all(np.all(masks == several[0]) for several in masks_of.values() for masks in several)
    assert len({several[0].tobytes() for several in masks_of.values()}) > 4


def test_masks_of_a_column_that_narrows_stay_with_their_sequences(rng):
    data, network = make_set(rng, [12, 1, 1, 12, 10]), make_network("gru", dropout=0.5)

    slices, _ = epoch(network, data, 3, rng, shuffle=False)

    masks_at = {int(steps[0]): np.array(masks) for batch in slices for steps, _, masks, _ in batch}
    assert [len(batch) for batch in slices] == [3, 3, 3, 2]
    assert_array_equal(masks_at[22], masks_at[14])
    assert_array_equal(masks_at[34], masks_at[26])


def test_batches_are_drawn_at_random_or_in_order(rng):
    data, network = make_set(rng, [2] * 12), make_network("gru")

    def first_steps(shuffle):
        return [sorted(int(steps[0]) for steps, *_ in batch) for batch in epoch(network, data, 4, rng, shuffle)[0]]

    assert first_steps(False) == [[0, 2, 4, 6], [8, 10, 12, 14], [16, 18, 20, 22]]
    assert first_steps(True) != first_steps(True)


@each_cell
@pytest.mark.parametrize("n_steps", [1, 3, 100])
def test_slices_lead_to_the_state_and_the_loss_of_the_whole(cell, n_steps, rng):
    network = make_network(cell, n_layers=2)
    params, data = make_params(network, rng), make_data(rng, [7, 7, 7, 7])
    tokens, workspace = token_set(data, np.ones(4)), Workspace(np.float64)

    loss, after = 0.0, None
    for batch, share in TruncatedBPTT(n_steps).batches(tokens, network.batcher, 4, rng, np.dtype(float)):
        before = network.stack.state_before(batch, after, np.dtype(float))
        batch_loss, _, after = loss_gradient_state(network, params, batch, before, workspace)
        loss += share * batch_loss

    assert loss == pytest.approx(-TokenScores(network, None).token_log_proba(params, data, workspace).mean(), rel=1e-12)
    if n_steps < 7:
        wanted = network.read(params, data, workspace)
        assert_states_close(after.take(np.argsort(batch.indices)), wanted, rtol=0, atol=1e-12)


def test_the_gradient_of_slices_is_truncated(rng):
    """With slices as long as the sequences it is that of the whole; with shorter ones it is not."""
    network = make_network("gru")
    params, data = make_params(network, rng), make_data(rng, [8, 8])

    def gradient(n_steps):
        tokens = token_set(data, np.ones(2))
        total, after = 0.0, None
        for batch, share in TruncatedBPTT(n_steps).batches(tokens, network.batcher, 2, rng, np.dtype(float)):
            before = network.stack.state_before(batch, after, np.dtype(float))
            _, gradient, after = loss_gradient_state(network, params, batch, before)
            total = total + share * gradient
        return total

    wanted = gradient(1000)
    assert_allclose(gradient(8), wanted, rtol=1e-12)
    assert relative_error(gradient(4), wanted) > 1e-4


def test_repeated_sequences_are_weights_in_canonical_form(rng):
    data = make_data(rng, [3, 1, 4])
    repeated, weights = np.array([2, 0, 1, 0, 0]), np.array([3.0, 1.0, 1.0])

    ours = token_set(data, weights).canonical()
    theirs = token_set(data.take(repeated), np.ones(5)).canonical()

    assert_array_equal(ours.sequences.lengths, theirs.sequences.lengths)
    for got, wanted in zip(ours.sequences.arrays(), theirs.sequences.arrays(), strict=True):
        assert_array_equal(got, wanted)
    assert_array_equal(ours.weights, theirs.weights)
    assert ours.total_weight == weights @ data.lengths


def test_shards_carry_the_state_of_their_columns(rng, monkeypatch):
    monkeypatch.setattr("skrnn._parallel.sharding.n_shards", lambda n_threads, *_: n_threads)
    network = make_network("lstm", n_layers=2)
    params, data = make_params(network, rng), make_data(rng)
    batch, state = make_batch(network, data, rng), draw_state(network, rng, len(data))

    wanted = loss_gradient_state(network, params, batch, state)
    loss_gradient = sharded_loss_gradient(network, np.dtype(float), 3)
    gradient = np.zeros_like(params)
    loss, after = loss_gradient(params, batch, state, gradient)

    assert loss == pytest.approx(wanted[0], rel=1e-12)
    assert_allclose(gradient, wanted[1], rtol=1e-10, atol=1e-13)
    assert_states_close(after, wanted[2], rtol=1e-12)


def test_windows_of_a_slice_carry_the_state(rng):
    """Where activations are computed twice, and a state comes in and goes out."""
    whole = make_network("lstm", n_layers=2, dropout=0.4)
    cut = replace(with_limits(whole, inference_size=1), recompute=True)
    params, data = make_params(whole, rng), make_data(rng, [9, 1, 7, 2])
    batch, state = make_batch(whole, data, rng), draw_state(whole, rng, len(data))

    loss, gradient, after = loss_gradient_state(cut, params, batch, state)
    wanted = loss_gradient_state(whole, params, batch, state)

    assert loss == pytest.approx(wanted[0], rel=1e-12)
    assert_allclose(gradient, wanted[1], rtol=1e-10, atol=1e-13)
    assert_states_close(after, wanted[2], rtol=1e-12)
