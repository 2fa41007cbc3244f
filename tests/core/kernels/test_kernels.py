"""Each function of a kernel by itself: against the equations of its cell, and against central differences."""

from dataclasses import dataclass

import numpy as np
import pytest
from helpers import CELL_NAMES, KERNELS_HERE, central_differences, relative_error
from oracles import STEPS, run_slowly

from skrnn.core.cells import CELLS
from skrnn.core.kernels import KERNELS, Kernel, OutputGradient, kernel_of
from skrnn.core.workspace import Workspace
from skrnn.export._gates import ONNX_GATES, TORCH_GATES

L, F, H, N = 6, 2, 4, 3
FIRST = 2
"""Column of the sums where those of the segment begin."""
NARROW = np.array([[0, N], [0, 2], [1, 1], [1, 3], [0, 0], [2, 3]])
"""Columns that have a gradient in each step: all, the first, none, the last, none, one."""


@dataclass
class Segment:
    """A kernel on some steps, with weights and inputs that are not zero anywhere."""

    cell: str
    kernel: Kernel
    weights: dict
    x: np.ndarray  # (L, F, N)
    state: tuple  # arrays (H, N)
    is_fused: bool
    workspace: Workspace

    def pack(self):
        return self.kernel.pack(self.weights, self.is_fused, self.workspace)

    def run(self):
        """Forward, as a layer does it: the cache of the segment."""
        W_xb, packed = self.pack()
        ones = np.ones((L, 1, N))
        cache = self.kernel.cache(L, N, F + 1 if self.is_fused else 0, self.workspace)
        if self.is_fused:
            cache.columns[:-1, H:] = np.concatenate([self.x, ones], axis=1)
        if cache.a.size and len(W_xb):
            cache.a[...] = W_xb @ np.concatenate([self.x, ones], axis=1)
        for first, v in zip(cache.first, self.state, strict=True):
            first[...] = v
        self.kernel.forward(packed, cache, self.workspace)
        return cache

    def start_sums(self, wants_d_a=True):
        return self.kernel.start_sums(L * N + FIRST, F + 1 if self.is_fused else 0, wants_d_a, self.workspace)

    def backward(self, cache, d_state, d_output, wants_d_a=True):
        """The gradient of the state before, from those of outputs and the last state, and the sums."""
        sums = self.start_sums(wants_d_a)
        sums.d_a[...] = 7
        d_state = tuple(v.copy() for v in d_state)
        packed = self.kernel.pack_backward(self.weights, self.workspace)
        self.kernel.backward(packed, cache, d_state, d_output, sums, FIRST, self.workspace)
        assert (sums.d_a[:, :FIRST] == 7).all()
        return d_state, sums


@pytest.fixture(params=[(name, cell) for name in KERNELS_HERE for cell in CELL_NAMES], ids="-".join)
def kernel(request):
    name, cell = request.param
    cell = CELLS[cell](H)
    return kernel_of(cell, name)


@pytest.fixture(params=[False, True], ids=["projected", "fused"])
def segment(kernel, request, rng):
    shapes = {"W_x": (kernel.cell.n_gates * H, F), "b": (kernel.cell.n_gates * H,), **kernel.cell.shapes()}
    weights = {name: 0.6 * rng.standard_normal(shape) for name, shape in shapes.items()}
    state = tuple(0.5 * rng.standard_normal((H, N)) for _ in kernel.cell.states)
    name = next(name for name in CELLS if CELLS[name](H) == kernel.cell)
    workspace = Workspace(np.dtype(float))
    before = workspace.mark()
    workspace.empty((50_000,))  # more than is needed, so that marks can be compared
    workspace.release(before)
    return Segment(name, kernel, weights, rng.standard_normal((L, F, N)), state, request.param, workspace)


def draw_gradients(segment, rng):
    """Gradients of the outputs of some columns, NaN in the others, and of the last state."""
    values = np.full((L, H, N), np.nan)
    for step, (first, last) in enumerate(NARROW):
        values[step, :, first:last] = rng.standard_normal((H, last - first))
    return OutputGradient(values, NARROW), tuple(rng.standard_normal((H, N)) for _ in segment.state)


def objective(segment, d_output, d_state):
    """What has these gradients: the sum of outputs and last states, weighted by them."""
    cache = segment.run()
    outputs = (cache.states[1:] * np.nan_to_num(d_output.values)).sum()
    return outputs + sum((v * d).sum() for v, d in zip(cache.last, d_state, strict=True))


def test_every_cell_has_an_oracle_and_a_kernel_of_each_set():
    """A cell without them fails here: nothing else would ask whether it is right."""
    assert set(STEPS) == set(CELLS)
    kinds = {type(make(1)) for make in CELLS.values()}
    assert all(set(KERNELS[name]()) == kinds for name in KERNELS_HERE)
    for orders in (TORCH_GATES, ONNX_GATES):
        assert set(orders) == kinds
        assert all(sorted(order) == sorted(kind.gates) for kind, order in orders.items())


def test_forward_equals_the_equations(segment):
    cache = segment.run()

    for column in range(N):
        state = tuple(v[:, column] for v in segment.state)
        wanted = run_slowly(segment.cell, segment.weights, segment.x[:, :, column], state)
        np.testing.assert_allclose(cache.states[1:, :, column], [h for h, *_ in wanted], rtol=1e-12, atol=1e-14)
        for v, v_wanted in zip(cache.last, wanted[-1], strict=True):
            np.testing.assert_allclose(v[:, column], v_wanted, rtol=1e-12, atol=1e-14)
        for step in range(L + 1):
            after = state if step == 0 else wanted[step - 1]
            for v, v_wanted in zip(segment.kernel.state_after(cache, step), after, strict=True):
                np.testing.assert_allclose(v[:, column], v_wanted, rtol=1e-12, atol=1e-14)


def test_a_cache_holds_the_states_and_the_inputs_below(kernel):
    workspace = Workspace(np.dtype(float))
    for n_fused in (0, F + 1):
        cache = kernel.cache(L, N, n_fused, workspace)
        assert cache.columns.shape == (L + 1, H + n_fused, N)
        assert np.shares_memory(cache.states, cache.columns)
        assert cache.states.shape == (L + 1, H, N)
        assert not cache.is_checkpoint
        assert len(cache.first) == len(cache.last) == kernel.cell.n_states
        assert np.shares_memory(cache.first[0], cache.states[0])
        assert np.shares_memory(cache.last[0], cache.states[-1])


def test_backward_equals_central_differences_of_the_state(segment, rng):
    d_output, d_last = draw_gradients(segment, rng)

    d_first, _ = segment.backward(segment.run(), d_last, d_output)

    for v, d_v in zip(segment.state, d_first, strict=True):
        wanted = central_differences(lambda: objective(segment, d_output, d_last), v)
        assert relative_error(d_v, wanted) < 1e-6


def test_gradients_of_weights_and_inputs_equal_central_differences(segment, rng):
    d_output, d_last = draw_gradients(segment, rng)
    cache = segment.run()

    _, sums = segment.backward(cache, d_last, d_output)

    kernel, gradients = segment.kernel, {name: np.ones_like(v) for name, v in segment.weights.items()}
    kernel.add_gradients(gradients, sums, FIRST)  # in place; without fused inputs those of the cell's own
    d_rows = sums.d_a[kernel.input_rows, FIRST:]
    if not segment.is_fused:
        x = segment.x.transpose(1, 0, 2).reshape(F, L * N)
        gradients["W_x"] += d_rows @ x.T
        gradients["b"] += d_rows.sum(axis=1)
    for name, v in segment.weights.items():
        wanted = central_differences(lambda: objective(segment, d_output, d_last), v)
        assert relative_error(gradients[name] - 1, wanted) < 1e-6, name
    d_x = np.einsum("rf,rln->lfn", segment.weights["W_x"], d_rows.reshape(-1, L, N))
    assert relative_error(d_x, central_differences(lambda: objective(segment, d_output, d_last), segment.x)) < 1e-6


def test_backward_reads_the_cache_and_gives_its_memory_back(segment, rng):
    d_output, d_last = draw_gradients(segment, rng)
    cache = segment.run()
    before = [v.copy() for v in (cache.columns, cache.saved)]

    first, again = (segment.backward(cache, d_last, d_output) for _ in range(2))

    for v, v_before in zip((cache.columns, cache.saved), before, strict=True):
        np.testing.assert_array_equal(v, v_before)
    np.testing.assert_array_equal(first[1].d_a, again[1].d_a)
    packed = segment.kernel.pack_backward(segment.weights, segment.workspace)
    sums, mark = segment.start_sums(), segment.workspace.mark()
    d_state = tuple(v.copy() for v in d_last)
    segment.kernel.backward(packed, cache, d_state, d_output, sums, FIRST, segment.workspace)
    assert segment.workspace.mark() == mark


def test_forward_gives_its_memory_back_and_leaves_inputs_alone(segment):
    _, packed = segment.pack()
    cache = segment.kernel.cache(L, N, F + 1 if segment.is_fused else 0, segment.workspace)
    cache.columns[...], cache.a[...] = 0.1, 0.2
    mark = segment.workspace.mark()

    segment.kernel.forward(packed, cache, segment.workspace)

    assert segment.workspace.mark() == mark
    np.testing.assert_array_equal(cache.columns[:, H:], 0.1)


def test_pack_reads_the_weights_only(segment):
    before = {name: v.copy() for name, v in segment.weights.items()}
    W_xb, _ = segment.pack()
    segment.kernel.pack_backward(segment.weights, segment.workspace)

    assert W_xb.shape[1] == F + 1
    for name, v in segment.weights.items():
        np.testing.assert_array_equal(v, before[name])


def test_a_bounded_kernel_stays_finite_and_relu_says_that_it_does_not(kernel, rng):
    assert kernel.is_bounded == (kernel.cell.activation != "relu")


def test_few_inputs_are_fused_and_many_are_not(kernel):
    assert kernel.fuses(0)
    assert not kernel.fuses(10 * H)


def test_a_step_equals_forward(segment):
    """By itself, from the state before: with inputs that are fused, and with such as are projected beforehand."""
    cache, (W_xb, packed) = segment.run(), segment.pack()
    K, ones = F + 1 if segment.is_fused else 0, np.ones((1, N))
    for step in range(L):
        x = np.concatenate([segment.x[step], ones])
        state = tuple(v.copy() for v in segment.kernel.state_after(cache, step))
        before = [v.copy() for v in state]
        a = W_xb @ x
        assert len(a) == segment.kernel.n_projected_rows(K)

        after = segment.kernel.step(packed, a, x.T.copy() if K else np.empty((N, 0)), state, segment.workspace)

        for v, wanted in zip(after, segment.kernel.state_after(cache, step + 1), strict=True):
            np.testing.assert_allclose(v, wanted, rtol=1e-12, atol=1e-14)
            assert not any(np.shares_memory(v, v_before) for v_before in state)
        for v, v_before in zip(state, before, strict=True):
            np.testing.assert_array_equal(v, v_before)


def test_rows_of_a_table_become_columns(kernel, rng):
    table, numbers = rng.standard_normal((5, 7)), rng.integers(0, 5, (L, N))
    out = np.empty((L, 9, N))[:, 2:8]

    kernel.take_rows(table, numbers, out, Workspace(np.dtype(float)))

    np.testing.assert_array_equal(out, table[numbers][:, :, :6].transpose(0, 2, 1))


def test_gradients_are_summed_up_without_those_of_the_steps(segment, rng):
    """Where nobody reads the gradients of the pre-activations: fused inputs, no gradient of them."""
    if not segment.is_fused:
        pytest.skip("the layer reads them")
    d_output, d_last = draw_gradients(segment, rng)
    cache, found = segment.run(), []
    for wants_d_a in (True, False):
        _, sums = segment.backward(cache, d_last, d_output, wants_d_a)
        found.append({name: np.zeros_like(v) for name, v in segment.weights.items()})
        segment.kernel.add_gradients(found[-1], sums, FIRST)

    for name, wanted in found[0].items():
        np.testing.assert_array_equal(found[1][name], wanted)
