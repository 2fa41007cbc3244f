"""Libraries that skrnn works with, and need not be there."""

import importlib
import os

import pytest


def need(name):
    """Import a library, or skip the file that needs it; under `nox -s integration` it has to be there."""
    if os.environ.get("SKRNN_REQUIRE_INTEGRATIONS"):
        return importlib.import_module(name)
    return pytest.importorskip(name)
