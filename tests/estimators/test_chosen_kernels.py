"""Which kernels an estimator computes with, and what happens where compiled ones cannot be had."""

import os
import subprocess
import sys
import textwrap
import warnings

import numpy as np
import pytest
from helpers import KERNELS_HERE, raises

from skrnn import RNNNextTokenModel, RNNSequenceClassifier, show_versions

needs_numba = pytest.mark.skipif("numba" not in KERNELS_HERE, reason="numba is not installed")

FIT = """
import numpy as np
from skrnn import RNNSequenceClassifier, show_versions
X = [np.ones((3, 1)), np.zeros((2, 1))] * 3
model = RNNSequenceClassifier(hidden_size=4, max_iter=2, tol=0, random_state=0)
import warnings
from sklearn.exceptions import ConvergenceWarning
warnings.simplefilter("ignore", ConvergenceWarning)
model.fit(X, [0, 1] * 3).predict(X)
print("kernels:", model.kernels_)
"""


def make_data(rng, n=12):
    return [rng.standard_normal((rng.integers(2, 9), 2)) for _ in range(n)], np.arange(n) % 2


def run(code, before="", **variables):
    """What a process of its own prints, with other environment variables."""
    environment = {name: value for name, value in os.environ.items() if name != "SKRNN_KERNELS"} | variables
    script = textwrap.dedent(before) + code
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


def fitted_with(kernels, monkeypatch, X, y, **kwargs):
    monkeypatch.setenv("SKRNN_KERNELS", kernels)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return RNNSequenceClassifier(8, max_iter=3, tol=0, random_state=0, **kwargs).fit(X, y)


@needs_numba
@pytest.mark.parametrize("cell", ["tanh", "relu", "gru", "lstm"])
def test_both_kernels_train_alike(cell, monkeypatch, rng):
    X, y = make_data(rng)
    models = [fitted_with(name, monkeypatch, X, y, cell=cell) for name in ("numpy", "numba")]

    assert [model.kernels_ for model in models] == ["numpy", "numba"]
    np.testing.assert_allclose(models[1].loss_curve_, models[0].loss_curve_, rtol=1e-6)


@needs_numba
def test_the_environment_is_read_at_each_prediction(monkeypatch, rng):
    X, y = make_data(rng)
    model = fitted_with("numba", monkeypatch, X, y)
    compiled = model._fitted.network.kernels
    monkeypatch.setenv("SKRNN_KERNELS", "numpy")

    assert (compiled, model._fitted.network.kernels) == ("numba", "numpy")
    assert model.kernels_ == "numba"  # of the fit


def test_a_name_that_is_none(monkeypatch, rng):
    X, y = make_data(rng)
    monkeypatch.setenv("SKRNN_KERNELS", "cython")
    with raises(ValueError, "SKRNN_KERNELS is 'cython', but must be 'auto', 'numpy' or 'numba'"):
        RNNSequenceClassifier(4).fit(X, y)


def test_numpy_needs_no_numba():
    out, _ = run(FIT + "import sys; print('numba' in sys.modules)", SKRNN_KERNELS="numpy")
    assert out.splitlines() == ["kernels: numpy", "False"]


def test_importing_skrnn_imports_no_numba():
    out, _ = run("import skrnn, skrnn.inspection, sys; print('numba' in sys.modules)")
    assert out.strip() == "False"


def test_without_numba_numpy_computes_and_says_nothing():
    out, err = run(FIT, "import sys; sys.modules['numba'] = None")
    assert out.strip() == "kernels: numpy"
    assert not err


def test_asking_for_numba_where_there_is_none_is_an_error():
    code = """
        import sys
        sys.modules["numba"] = None
        import numpy as np
        from skrnn import RNNSequenceClassifier
        try:
            RNNSequenceClassifier(2).fit([np.ones((2, 1)), np.zeros((2, 1))], [0, 1])
        except RuntimeError as error:
            print(error)
    """
    out, _ = run(textwrap.dedent(code), SKRNN_KERNELS="numba")
    assert out.startswith("The environment variable SKRNN_KERNELS is 'numba', but numba cannot be imported")
    assert "pip install 'skrnn[fast]'" in out


@pytest.mark.parametrize(
    ("stub", "reason"),
    [
        ("__version__ = '0.50.1'", "numba 0.50.1 is older than 0.60"),
        ("raise OSError('no llvm')", "importing numba fails (OSError: no llvm)"),
        ("__version__ = '0.99.0'\nclass config: DISABLE_JIT = 0", "numba does not work here (ImportError"),
    ],
    ids=["too old", "broken at import", "broken later"],
)
def test_an_old_or_broken_numba_is_told_of_once(stub, reason, tmp_path):
    (tmp_path / "numba.py").write_text(stub)
    out, err = run(FIT + FIT, f"import sys; sys.path.insert(0, {str(tmp_path)!r})")

    assert out.splitlines() == ["kernels: numpy"] * 2
    assert err.count("RuntimeWarning") == 1
    assert f"skrnn computes with NumPy, since {reason}" in err


@needs_numba
def test_without_a_folder_for_compiled_code_numpy_computes(tmp_path):
    """As in a container that cannot be written: neither beside the sources, nor in the home directory."""
    before = """
        import numba.core.caching as caching
        caching.CacheImpl._locator_classes = []
    """
    out, err = run(FIT, before)

    assert out.strip() == "kernels: numpy"
    assert err.count("RuntimeWarning") == 1
    assert "numba has no folder to keep compiled code in" in err
    assert "NUMBA_CACHE_DIR" in err


@needs_numba
def test_numba_without_its_compiler():
    out, err = run(FIT, NUMBA_DISABLE_JIT="1")
    assert out.strip() == "kernels: numpy"
    assert not err


@needs_numba
def test_processes_that_compile_at_the_same_time(tmp_path):
    """All of them find an empty folder; each trains, and what they leave serves the next."""
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path), "SKRNN_KERNELS": "numba"}
    running = [
        subprocess.Popen([sys.executable, "-c", FIT], env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]

    assert [process.communicate(timeout=300)[0].strip() for process in running] == ["kernels: numba"] * 3
    assert list(tmp_path.rglob("*.nbc"))


def test_show_versions_says_which_kernels(capsys, monkeypatch):
    monkeypatch.setenv("SKRNN_KERNELS", "auto")
    show_versions()
    here = "numba" if "numba" in KERNELS_HERE else "numpy, since"
    assert f"\nkernels: {here}" in capsys.readouterr().out
    monkeypatch.setenv("SKRNN_KERNELS", "numpy")
    show_versions()
    assert "\nkernels: numpy, as SKRNN_KERNELS says\n" in capsys.readouterr().out


@needs_numba
@pytest.mark.parametrize("cell", ["tanh", "gru", "lstm"])
def test_a_token_model_scores_and_writes_alike(cell, monkeypatch):
    texts = ["abcab", "bcabca", "cabcabc"] * 4
    monkeypatch.setenv("SKRNN_KERNELS", "numpy")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = RNNNextTokenModel(hidden_size=8, cell=cell, max_iter=3, tol=0, random_state=0).fit(texts)
    found = []
    for name in ("numpy", "numba"):
        monkeypatch.setenv("SKRNN_KERNELS", name)
        found.append((model.score_samples(texts), model.generate("ab", max_new_tokens=8, random_state=0)))

    np.testing.assert_allclose(found[1][0], found[0][0], rtol=1e-10)
    assert found[1][1] == found[0][1]
