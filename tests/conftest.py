"""What every test gets: scipy with its array API support, and a seeded generator."""

import os

# scipy reads this when it is imported; without it scikit-learn skips its array API check. pytest imports this file
# before any test or doctest, because `tests` is among the testpaths.
os.environ.setdefault("SCIPY_ARRAY_API", "1")
# What is installed beside skrnn should not decide what is tested: `nox -s compiled` tests the compiled kernels.
os.environ.setdefault("SKRNN_KERNELS", "numpy")

import hypothesis
import numpy as np
import pytest

hypothesis.settings.register_profile("untimed", deadline=None)  # how long an example takes is the machine's affair
hypothesis.settings.load_profile("untimed")


@pytest.fixture
def rng() -> np.random.Generator:
    """Draw the same random numbers in every test and every run."""
    return np.random.default_rng(0)
