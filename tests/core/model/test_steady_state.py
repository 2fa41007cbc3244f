"""What training costs that can be counted: products and memory of a step, once the first batches are over."""

import tracemalloc

import numpy as np
import pytest

from skrnn import RNNSequenceClassifier
from skrnn._base import Passed
from skrnn._parallel.sharding import predict_in_shards, sharded_loss_gradient
from skrnn.core.data.sequences import PackedSequences
from skrnn.core.model.network import Network
from skrnn.core.training.optimizers import Adam, clip_by_global_norm
from skrnn.core.workspace import Workspace

T, B, F, H = 40, 32, 3, 64


@pytest.fixture(params=["tanh", "relu", "gru", "lstm"])
def network(request):
    return Network.build(request.param, n_inputs=F, hidden_size=H, n_classes=4)


def make_batch(network, rng, lengths=(T,) * B):
    data = PackedSequences.from_arrays([rng.standard_normal((n, F)) for n in lengths], np.float64)
    n = len(lengths)
    return network.batcher.batch(data, np.arange(n), rng.integers(0, 4, n), np.full(n, 1 / n))


def test_one_product_a_step_forward_and_one_back(network, rng, monkeypatch, kernels):
    if kernels == "numba":
        pytest.skip("no call of Python shows what a compiled loop multiplies")
    params, batch = network.initialize(rng), make_batch(network, rng)
    workspace, gradient, matmul = Workspace(np.float64), np.zeros(network.layout.size), np.matmul
    products, recurrent_products = [], []

    class Counted(np.ndarray):
        def dot(self, other, out):
            recurrent_products.append((self.shape, other.shape))
            return super().dot(other, out)

    def counted_matmul(a, b, *args, **kwargs):
        products.append((a.shape, b.shape))
        return matmul(a, b, *args, **kwargs)

    kernel = type(network.stack.kernel)
    pack, pack_backward = kernel.pack, kernel.pack_backward

    def counted_pack(*args):
        W_xb, packed = pack(*args)
        return W_xb, tuple(W.view(Counted) for W in packed)

    monkeypatch.setattr(kernel, "pack", counted_pack)
    monkeypatch.setattr(kernel, "pack_backward", lambda *args: pack_backward(*args).view(Counted))
    monkeypatch.setattr(np, "matmul", counted_matmul)
    network.loss_gradient(params, batch, None, workspace, gradient)

    G, n_gates_apart = network.stack.cell.n_gates, network.stack.kernel.n_gates_apart
    assert len(batch.segments) == 1
    assert recurrent_products == T * [((G * H, H + F + 1), (H + F + 1, B))] + T * [((H, G * H), (G * H, B))]
    # the head forward and back, before which the candidate of the GRU gets the input of all steps
    of_head = [((4, H), (1, H, B)), ((H, 4), (1, 4, B))]
    assert products == [((H, F + 1), (T, F + 1, B))] * n_gates_apart + of_head


def peak_of_a_step(network, rng, lengths):
    """Bytes that a training step holds at most, apart from the workspace, after three others."""
    params, workspace, gradient = network.initialize(rng), Workspace(np.float64), np.zeros(network.layout.size)
    optimizer = Adam()
    state = optimizer.init(params)
    batches = [make_batch(network, rng, lengths) for _ in range(4)]

    def step(batch):
        gradient.fill(0)
        network.loss_gradient(params, batch, None, workspace, gradient)
        clip_by_global_norm(gradient, 1.0)
        optimizer.update(params, gradient, state, 1e-3)

    for batch in batches[:-1]:
        step(batch)
    held = workspace.size
    tracemalloc.start()
    try:
        step(batches[-1])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert workspace.size == held
    return peak


@pytest.mark.parametrize("lengths", [(T,) * B, tuple(range(T - B, T))], ids=["equal", "ragged"])
def test_a_step_allocates_no_large_array(network, rng, lengths):
    """After the first batches a batch of three times as many sequences allocates their indices, and nothing more."""
    narrow, wide = (peak_of_a_step(network, rng, lengths * k) for k in (1, 3))

    indices = 20 * 8  # bytes a time step: where it comes from, and whether it is real
    assert wide - narrow < 2 * sum(lengths) * indices
    assert indices < network.stack.n_activations * 8 / 2


@pytest.mark.parametrize("shards", [2, 3])
def test_threads_make_no_other_gradient(network, rng, shards, monkeypatch):
    monkeypatch.setattr("skrnn._parallel.sharding.n_shards", lambda n_threads, *_: n_threads)
    params, batch = network.initialize(rng), make_batch(network, rng, (9, 9, 7, 4, 4, 1, 1))
    plain, split = np.zeros_like(params), np.zeros_like(params)
    loss, _ = network.loss_gradient(params, batch, None, Workspace(np.float64), plain)

    loss_gradient = sharded_loss_gradient(network, np.dtype(float), shards)
    loss_split, _ = loss_gradient(params, batch, None, split)
    again = np.zeros_like(params)
    loss_gradient(params, batch, None, again)

    assert loss_split == pytest.approx(loss, rel=1e-13)
    np.testing.assert_allclose(split, plain, rtol=1e-11, atol=1e-14)
    np.testing.assert_array_equal(again, split)


@pytest.mark.parametrize("n_jobs", [1, 2, 3])
def test_threads_make_no_other_prediction(rng, n_jobs, monkeypatch):
    monkeypatch.setattr("skrnn._parallel.sharding.MIN_SHARD_UNITS", 1)
    X, y = [rng.standard_normal((n, 2)) for n in rng.integers(1, 30, 50)], rng.integers(0, 3, 50)
    model = RNNSequenceClassifier(8, max_iter=2, learning_rate="cosine", random_state=0).fit(X, y)
    one_by_one = np.concatenate([model.predict_proba([x]) for x in X])

    model.set_params(n_jobs=n_jobs)

    np.testing.assert_allclose(model.predict_proba(X), one_by_one, atol=1e-13)
    np.testing.assert_array_equal(model.predict_proba(X), model.predict_proba(X))


def test_small_predictions_stay_on_one_thread(rng, monkeypatch):
    def no_threads(*args):
        raise AssertionError("threads were started")

    monkeypatch.setattr("skrnn._parallel.sharding.run_together", no_threads)
    data = PackedSequences.from_rectangle(rng.standard_normal((4, 5, 2)))

    lengths = predict_in_shards(lambda part, workspace: part.lengths, data, 8, np.dtype(float), n_jobs=2)

    assert lengths.tolist() == [5] * 4


def test_a_failure_on_a_thread_is_the_callers(rng, monkeypatch):
    monkeypatch.setattr("skrnn._parallel.sharding.MIN_SHARD_UNITS", 1)
    data = PackedSequences.from_rectangle(rng.standard_normal((4, 5, 2)))

    def fail(part, workspace):
        raise ArithmeticError("as it was raised")

    with pytest.raises(ArithmeticError, match="as it was raised"):
        predict_in_shards(fail, data, 8, np.dtype(float), n_jobs=2)


def test_a_fit_holds_one_copy_of_the_data(rng):
    X, y = rng.standard_normal((300, 200, 20)), np.arange(300) % 3
    model = RNNSequenceClassifier()
    tracemalloc.start()
    try:
        _, examples = model._read(model._read_config(), Passed(X, y), None, None)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert len(examples.data) == 300
    assert peak < 1.5 * X.nbytes
