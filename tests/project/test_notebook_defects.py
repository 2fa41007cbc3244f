"""The defects of the teaching notebook that skrnn grew from: what finds each of them, and that skrnn has none.

The order is that of ``tutorials/plot_2_what_was_wrong.py``.
"""

import ast
import inspect
from pathlib import Path

import numpy as np
import pytest
from plot_2_what_was_wrong import GRADIENT_DEFECTS, LAYOUT, H, loss_gradient, with_defect

from skrnn import RNNNextTokenModel, RNNSequenceClassifier
from skrnn.core.cells import ElmanCell
from skrnn.core.data.sequences import PackedSequences
from skrnn.core.kernels.numpy.activations import ACTIVATIONS, SIGMOID_SCALE, TANH, Activation, sigmoid_of_scaled
from skrnn.core.model.inputs import DenseInput
from skrnn.core.model.losses import CrossEntropy, log_softmax, softmax_cross_entropy
from skrnn.core.model.network import Network
from skrnn.core.model.pooling import POOLINGS
from skrnn.core.model.stack import RecurrentStack
from skrnn.core.training.optimizers import SGD, clip_by_global_norm
from skrnn.core.workspace import Workspace
from skrnn.inspection import check_gradient

ROOT = Path(__file__).parents[2]
READ, TARGETS = [4, 0, 1, 1, 3], [0, 1, 1, 2, 0]
ARRAYS_THAT_ARE_WRONG = {
    "the loss ignores the target": {"U", "V", "W", "bh", "by"},
    "the loss is a mean over the classes": {"U", "V", "W", "bh", "by"},
    "dW is overwritten": {"W"},
    "dV uses the current state": {"V"},
    "dV uses states[-1] at the first step": {"V"},
    "tanh' of what is tanh already": {"U", "V", "bh"},
    "dbh stays zero, under another name": {"bh"},
}


@pytest.fixture
def params(rng):
    return 0.5 * rng.standard_normal(LAYOUT.size)


def make_network(activation="tanh"):
    return Network(RecurrentStack(ElmanCell(3, activation), DenseInput(2)), POOLINGS["last"], CrossEntropy(2))


def make_batch(network, rng):
    data = PackedSequences.from_arrays([rng.standard_normal((n, 2)) for n in (4, 1)], np.float64)
    return network.batcher.batch(data, np.arange(2), np.array([0, 1]), np.ones(2))


def of_network(network, batch):
    def loss_gradient(params):
        gradient = np.zeros_like(params)
        return network.loss_gradient(params, batch, None, Workspace(np.float64), gradient)[0], gradient

    return loss_gradient


# The gradient


def test_the_kernel_without_a_defect_passes(params):
    check = check_gradient(lambda params: loss_gradient(params, READ, TARGETS), params, layout=LAYOUT)

    assert check.passed, check


@pytest.mark.parametrize("name", GRADIENT_DEFECTS)
def test_a_gradient_defect_is_caught(name, params):
    defective = with_defect(*GRADIENT_DEFECTS[name])

    check = check_gradient(lambda params: defective(params, READ, TARGETS), params, layout=LAYOUT)

    assert not check.passed
    assert {array.name for array in check.arrays if array.error > check.tol} == ARRAYS_THAT_ARE_WRONG[name]


def test_one_step_does_not_show_that_dW_is_overwritten(params):
    defective = with_defect(*GRADIENT_DEFECTS["dW is overwritten"])

    assert check_gradient(lambda params: defective(params, READ[:1], TARGETS[:1]), params, layout=LAYOUT).passed


def test_a_defect_must_be_in_the_code_once():
    with pytest.raises(AssertionError, match="'d_no' is not in the code exactly once"):
        with_defect("d_no", "")


def test_tanh_of_tanh_is_caught_in_the_engine(rng, monkeypatch):
    wrong = Activation(np.tanh, lambda h, out: np.subtract(1, np.tanh(h) ** 2, out), is_bounded=True)
    monkeypatch.setitem(ACTIVATIONS, "wrong", wrong)
    network = make_network("wrong")
    params = network.initialize(rng) + 0.3 * rng.standard_normal(network.layout.size)

    check = check_gradient(of_network(network, make_batch(network, rng)), params, layout=network.layout)

    assert {array.name for array in check.arrays if array.error > check.tol} == {"rnn.0.W_x", "rnn.0.W_h", "rnn.0.b"}


# The rest


def test_1_progress_needs_no_other_package(capsys):
    imported = {
        alias.name
        for path in (ROOT / "skrnn").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Import)
        for alias in node.names
    }

    RNNSequenceClassifier(hidden_size=2, max_iter=2, learning_rate="cosine", verbose=2, random_state=0).fit(
        np.eye(4), [0, 1, 0, 1]
    )

    assert "tqdm" not in imported
    assert capsys.readouterr().out.count("epoch") >= 2


def test_2_the_first_state_is_a_column_of_zeros_of_the_right_dtype():
    assert np.zeros_like((2, 1)).shape == (2,)  # what the notebook has: two integers
    for size in (1, 2, 3):
        ((h,),) = RecurrentStack(ElmanCell(size), DenseInput(2)).zero_state(1, np.dtype(np.float32)).layers
        assert h.shape == (size, 1)
        assert h.dtype == np.float32
        assert not h.any()


def test_3_arguments_are_the_same_everywhere_and_optional_ones_have_names():
    for function in (RNNSequenceClassifier, RNNNextTokenModel, RNNNextTokenModel.generate):
        *_, last = inspect.signature(function).parameters.values()
        assert last.kind is inspect.Parameter.KEYWORD_ONLY


def test_4_a_name_that_was_never_bound_raises_and_every_array_has_a_gradient(params, rng):
    with pytest.raises(UnboundLocalError):
        with_defect("d_bh += d_a", "dhb += d_a")(params, READ, TARGETS)

    network = make_network()
    _, gradient = of_network(network, make_batch(network, rng))(network.initialize(rng))
    assert all(array.any() for arrays in network.layout.views(gradient).values() for array in arrays.values())


def test_5_the_tutorials_are_scripts_that_parse():
    scripts = sorted((ROOT / "tutorials").glob("plot_*.py"))

    assert len(scripts) == 2
    for path in scripts:
        ast.parse(path.read_text())


def test_6_confident_and_right_costs_nothing_confident_and_wrong_a_lot():
    notebook = [-np.mean(np.log([0.998, 0.001, 0.001]) + 1e-12 * np.eye(3)[answer]) for answer in (0, 1)]
    assert notebook[0] == pytest.approx(notebook[1])

    right, wrong = (
        softmax_cross_entropy(np.array([[50.0], [0.0]]), np.array([answer]), np.ones(1)) for answer in (0, 1)
    )

    assert right == pytest.approx(0)
    assert wrong == pytest.approx(50)


def test_6_a_probability_that_rounds_to_zero_has_a_finite_logarithm():
    with np.errstate(divide="ignore"):
        assert np.isneginf(np.log(np.exp(-1000.0)) + 1e-12)  # outside of the logarithm, epsilon avoids nothing

    assert log_softmax(np.array([[0.0], [-1000.0]]))[1, 0] == -1000
    assert softmax_cross_entropy(np.array([[0.0], [-1000.0]]), np.array([1]), np.ones(1)) == 1000


def test_11_nothing_overflows():
    large = np.array([1000.0, -1000.0])
    with np.errstate(all="ignore"):
        assert np.isnan((np.exp(large) - np.exp(-large)) / (np.exp(large) + np.exp(-large))).all()
        assert np.isnan((np.exp(large) / np.exp(large).sum())[0])
        assert TANH.of_unscaled(large, np.empty(2)).tolist() == [1, -1]
        assert sigmoid_of_scaled(SIGMOID_SCALE * large, np.empty(2)).tolist() == [1, 0]

    assert np.exp(log_softmax(large[:, None].copy())).ravel().tolist() == [1, 0]
    X = [[1e6, -1e6, 1e6], [-1e6, 1e6]]
    for cell in ("tanh", "gru", "lstm"):
        model = RNNSequenceClassifier(hidden_size=3, cell=cell, max_iter=2, learning_rate="cosine", random_state=0)
        assert np.isfinite(model.fit(X, [0, 1]).predict_log_proba(X)).all()
        assert np.isfinite(model.loss_curve_).all()


def test_12_softmax_is_column_by_column():
    batch = np.array([[1.0, 2.0], [3.0, 5.0]])
    alone = [log_softmax(batch[:, [j]].copy()) for j in range(2)]

    together = log_softmax(batch.copy())

    np.testing.assert_array_equal(together, np.hstack(alone))
    np.testing.assert_allclose(np.exp(together).sum(axis=0), 1)


def test_13_an_exploding_gradient_is_clipped(params):
    views = LAYOUT.views(params)[""]
    views["U"][:], views["V"][:], views["bh"][:] = 0.01, 3 * np.roll(np.eye(H), 1, axis=0), 0
    gradients = [loss_gradient(params, [4] * n, [0] * n)[1] for n in (2, 6)]
    assert np.linalg.norm(gradients[1]) > 5 * np.linalg.norm(gradients[0])

    direction = gradients[1] / np.linalg.norm(gradients[1])
    clip_by_global_norm(gradients[1], 1.0)

    np.testing.assert_allclose(gradients[1], direction)
    assert RNNSequenceClassifier().max_grad_norm == RNNNextTokenModel().max_grad_norm == 1.0


def test_14_a_gradient_can_be_had_without_an_update(rng):
    network = make_network()
    batch, params = make_batch(network, rng), network.initialize(rng)
    before = params.copy()
    once, twice = np.zeros_like(params), np.zeros_like(params)

    network.loss_gradient(params, batch, None, Workspace(np.float64), once)
    for _ in range(2):
        network.loss_gradient(params, batch, None, Workspace(np.float64), twice)

    np.testing.assert_array_equal(params, before)
    np.testing.assert_allclose(twice, 2 * once)
    SGD(momentum=0.0).update(params, once, SGD(momentum=0.0).init(params), learning_rate=0.1)
    assert not np.array_equal(params, before)


def test_15_a_seed_gives_the_same_model_and_leaves_the_global_generator_alone():
    state = np.random.get_state()[1].copy()  # noqa: NPY002

    curves = [
        RNNNextTokenModel(hidden_size=2, max_iter=2, random_state=0).fit(["abab", "ba"]).loss_curve_ for _ in range(2)
    ]

    assert curves[0] == curves[1]
    np.testing.assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002


def test_16_the_history_is_kept():
    model = RNNNextTokenModel(hidden_size=2, max_iter=3, random_state=0).fit(["abab", "ba"])

    assert len(model.loss_curve_) == model.n_iter_ == 3


def test_17_the_gradient_of_a_batch_is_the_sum_of_those_of_its_sequences(rng):
    network = make_network()
    batch, params = make_batch(network, rng), network.initialize(rng)

    _, together = of_network(network, batch)(params)
    apart = [of_network(network, batch.take(np.arange(k, len(batch.indices), 2)))(params)[1] for k in range(2)]

    np.testing.assert_allclose(together, sum(apart), atol=1e-14)


def test_18_a_fitted_model_predicts_and_writes():
    model = RNNNextTokenModel(hidden_size=4, max_iter=30, learning_rate_init=0.05, random_state=0).fit(["abab"] * 5)

    assert model.predict(["a", "ab"]).tolist() == ["b", "a"]
    assert model.generate("a", max_new_tokens=2, temperature=0) == "aba"
