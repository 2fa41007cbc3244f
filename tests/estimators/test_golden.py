"""What small trainings find, and what the public names look like, has not changed: see `golden/record.py`."""

import json
import warnings

import numpy as np
import pytest
from golden import cases, record

from skrnn import RNNNextTokenModel, RNNSequenceClassifier
from skrnn._kernels import chosen_kernels

FOLDER = record.FOLDER
with np.load(FOLDER / "results.npz") as file:
    RESULTS = dict(file)
IS_ALIKE = json.loads((FOLDER / "machine.json").read_text()) == record.machine() and chosen_kernels() == "numpy"
NAMES = json.loads((FOLDER / "names.json").read_text())


def test_every_case_names_every_parameter():
    assert set(RNNSequenceClassifier().get_params()) == set(cases.CLASSIFIER)
    assert set(RNNNextTokenModel().get_params()) == set(cases.TOKENS)


@pytest.mark.parametrize("name", cases.CASES)
def test_results_are_those_recorded(name):
    """To the bit on the machine that recorded them, with NumPy's kernels; else as closely as rounding lets them be."""
    found = cases.run(name)

    assert {key for key in RESULTS if key.startswith(f"{name}: ")} == {f"{name}: {key}" for key in found}
    for key, got in found.items():
        wanted = RESULTS[f"{name}: {key}"]
        if IS_ALIKE:
            np.testing.assert_array_equal(got, wanted, err_msg=key)
        else:
            tolerance = 1e-2 if "float32" in name else 1e-6
            np.testing.assert_allclose(got, wanted, rtol=tolerance, atol=tolerance, err_msg=key)


def test_public_names_are_those_recorded():
    assert record.public_names() == NAMES["signatures"]


def test_a_fit_leaves_the_attributes_recorded():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert record.fitted_attributes() == NAMES["fitted"]
