"""What show_versions says."""

import os
import re
import subprocess
import sys

import pytest

import skrnn
from skrnn import _versions


def test_says_what_is_installed_and_what_blas_runs(capsys):
    skrnn.show_versions()
    lines = capsys.readouterr().out.splitlines()

    assert lines[0].startswith(f"python: {sys.version_info.major}.{sys.version_info.minor}")
    assert any(re.fullmatch(r"numpy: \d+\.\d+.*", line) for line in lines)
    assert any(re.fullmatch(r".*blas.*: .*, .+ kernels, threads: \d+", line) for line in lines)


def test_a_package_may_be_missing(capsys, monkeypatch):
    monkeypatch.setattr(_versions, "PACKAGES", ("skrnn", "no-such-package"))
    skrnn.show_versions()
    assert "no-such-package: not installed" in capsys.readouterr().out


def show_versions_with(pins):
    environment = {name: value for name, value in os.environ.items() if name not in _versions.PINS} | pins
    code = "import numpy, skrnn; skrnn.show_versions()"
    child = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    return child.stdout


def test_a_pin_that_holds_blas_back():
    """Nehalem's kernels are the oldest that OpenBLAS has for x86-64; elsewhere the name means nothing to it."""
    out = show_versions_with({"OPENBLAS_CORETYPE": "Nehalem"})
    assert re.search(
        r"OPENBLAS_CORETYPE=Nehalem: BLAS is held at Nehalem kernels, but would choose \w+ on this CPU\. Unset"
        "|OPENBLAS_CORETYPE=Nehalem: BLAS runs the kernels",
        out,
    )


@pytest.mark.parametrize(
    ("free", "wanted"),
    [
        ("Haswell", "OPENBLAS_CORETYPE=Haswell: BLAS runs the kernels that it would choose without, Haswell"),
        ("SkylakeX", "BLAS is held at Haswell kernels, but would choose SkylakeX on this CPU. Unset to let it."),
        ("", "OPENBLAS_CORETYPE=Haswell: what BLAS would choose without could not be found out"),
    ],
)
def test_what_a_pin_does(monkeypatch, free, wanted):
    monkeypatch.setattr(_versions, "blas_architectures", lambda: {"Haswell"})
    monkeypatch.setattr(subprocess, "run", lambda *args, **kwargs: subprocess.CompletedProcess(args, 0, free + "\n"))
    assert _versions._effect_of_pins({"OPENBLAS_CORETYPE": "Haswell"}).endswith(wanted)


def test_no_pin_no_line(capsys, monkeypatch):
    for name in _versions.PINS:
        monkeypatch.delenv(name, raising=False)
    skrnn.show_versions()
    assert "OPENBLAS" not in capsys.readouterr().out
