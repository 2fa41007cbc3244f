"""What show_versions says."""

import os
import re
import subprocess
import sys
from pathlib import Path

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


@pytest.fixture
def pinned(monkeypatch):
    for name in _versions.PINS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")


def last_line(capsys, **options):
    skrnn.show_versions(**options)
    return capsys.readouterr().out.splitlines()[-1]


def test_a_pin_is_named_and_no_process_started(capsys, monkeypatch, pinned):
    monkeypatch.setattr(subprocess, "run", None)
    assert last_line(capsys) == (
        "OPENBLAS_CORETYPE=Haswell: BLAS may be held below this CPU. skrnn.show_versions(probe_blas=True) finds out."
    )


def test_no_pin_no_line(capsys, monkeypatch):
    for name in _versions.PINS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(subprocess, "run", None)
    skrnn.show_versions(probe_blas=True)
    assert "OPENBLAS" not in capsys.readouterr().out


SHADOWS = ("numpy", "scipy", "ctypes", "threadpoolctl", "skrnn", "sitecustomize", "encodings", "usercustomize")


@pytest.mark.parametrize("place", ["working directory", "PYTHONPATH"])
def test_a_pin_that_holds_blas_back(place, tmp_path):
    """Nehalem's kernels are the oldest that OpenBLAS has for x86-64; elsewhere the name means nothing to it.

    What lies in the working directory or on PYTHONPATH by the name of a module is not run by the probe.
    """
    root = str(Path(skrnn.__file__).parents[1])
    script = tmp_path / "script.py"
    shadows = tmp_path / "shadows"
    shadows.mkdir()
    move = (
        f"os.chdir({str(shadows)!r})"
        if place == "working directory"
        else f"os.environ['PYTHONPATH'] = {str(shadows)!r}"
    )
    script.write_text(
        f"import os, sys; sys.path.insert(0, {root!r}); import numpy, skrnn; {move}; "
        "skrnn.show_versions(probe_blas=True)"
    )
    for name in SHADOWS:
        (shadows / f"{name}.py").write_text(f"open({str(tmp_path / 'was_run')!r}, 'w').close()")
    environment = {name: value for name, value in os.environ.items() if name not in _versions.PINS}
    environment["OPENBLAS_CORETYPE"] = "Nehalem"

    child = subprocess.run([sys.executable, script], env=environment, capture_output=True, text=True, check=True)

    assert re.search(
        r"OPENBLAS_CORETYPE=Nehalem: BLAS is held at Nehalem kernels, but would choose \w+ on this CPU\. Unset"
        "|OPENBLAS_CORETYPE=Nehalem: BLAS runs the kernels",
        child.stdout,
    )
    assert not (tmp_path / "was_run").exists()


POOLS = [{"architecture": "Haswell", "filepath": "libopenblas.so"}]
NOT_FOUND_OUT = "what BLAS would choose without could not be found out"


@pytest.mark.parametrize(
    ("free", "wanted"),
    [
        ("Haswell", "BLAS runs the kernels that it would choose without, Haswell"),
        ("SkylakeX", "BLAS is held at Haswell kernels, but would choose SkylakeX on this CPU. Unset to let it."),
        ("", NOT_FOUND_OUT),
    ],
)
def test_what_a_pin_does(monkeypatch, free, wanted):
    monkeypatch.setattr(subprocess, "run", lambda *args, **kwargs: subprocess.CompletedProcess(args, 0, free + "\n"))
    assert _versions._effect_of_pins(POOLS) == wanted


def test_no_openblas_at_all():
    assert _versions._effect_of_pins([]) == NOT_FOUND_OUT


@pytest.mark.parametrize(
    "error",
    [
        FileNotFoundError(),
        PermissionError(),
        subprocess.TimeoutExpired("python", 30),
        subprocess.CalledProcessError(1, "python"),
        UnicodeDecodeError("utf-8", b"", 0, 1, ""),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_probe_that_fails_raises_nothing(monkeypatch, capsys, pinned, error):
    def fail(*args, **kwargs):
        raise error

    monkeypatch.setattr(subprocess, "run", fail)
    assert NOT_FOUND_OUT in last_line(capsys, probe_blas=True)


@pytest.mark.parametrize(("name", "value"), [("executable", ""), ("executable", None), ("frozen", True)])
def test_a_program_that_is_no_python_is_not_started(monkeypatch, capsys, pinned, name, value):
    monkeypatch.setattr(sys, name, value, raising=False)
    monkeypatch.setattr(subprocess, "run", None)
    assert NOT_FOUND_OUT in last_line(capsys, probe_blas=True)


def test_a_probe_that_hangs_is_given_up(monkeypatch, capsys, pinned):
    monkeypatch.setattr(_versions, "PROBE", "import time; time.sleep(60)")
    monkeypatch.setattr(_versions, "PROBE_SECONDS", 0.5)
    assert NOT_FOUND_OUT in last_line(capsys, probe_blas=True)
