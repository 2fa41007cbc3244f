"""What is checked, and on what. `nox --list` names the sessions, `nox -s NAME` runs one in an environment of its own.

`.ci/run` and the workflow of GitHub call the same sessions. What follows `--` goes to pytest or sphinx. In an
environment that has what a session needs, `nox --no-venv --no-install -s NAME` takes that one.
"""

import re
import shutil
from pathlib import Path

import nox

nox.needs_version = ">=2024.10.9"
nox.options.sessions = ["lint", "tests"]
nox.options.default_venv_backend = "venv"
nox.options.error_on_external_run = True

PYTHONS = ["3.10", "3.11", "3.12", "3.13", "3.14"]
SKLEARNS = ["1.7", "1.8", "1.9"]
OF_COMPILED_KERNELS = (
    *(f"tests/estimators/test_{name}.py" for name in ("contract", "golden", "sklearn_checks", "next_token")),
    *(f"tests/estimators/test_sequence_{name}.py" for name in ("classifier", "regressor", "tagger")),
    *(f"tests/estimators/test_{name}.py" for name in ("token_input", "categories", "streams", "generation")),
    "tests/parallel",
    "tests/inspection",
)


@nox.session(python=PYTHONS)
def tests(session):
    """Tests and doctests."""
    session.install("-e", ".[test]")
    session.run("pytest", *session.posargs)


@nox.session
def compiled(session):
    """The tests that see what computes, with compiled kernels; those of the core run with both anyhow."""
    session.install("-e", ".[test]")
    session.run("pytest", *OF_COMPILED_KERNELS, *session.posargs, env={"SKRNN_KERNELS": "numba"})


@nox.session
def integration(session):
    """With the libraries that people use beside scikit-learn: all have to be there."""
    session.install("-e", ".[integration]")
    session.run("pytest", "tests/integration", *session.posargs, env={"SKRNN_REQUIRE_INTEGRATIONS": "1"})


@nox.session
def parity(session):
    """Losses and gradients against PyTorch, metrics against seqeval."""
    session.install("-e", ".[test,parity]")
    files = sorted(str(path) for path in Path("tests/core/model").glob("test_torch_*.py"))
    session.run("pytest", *files, "tests/export", "tests/metrics", *session.posargs, env={"SKRNN_REQUIRE_TORCH": "1"})


@nox.session
def lint(session):
    """Style, format, types, spelling."""
    session.install("-e", ".[lint]")
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("mypy")
    session.run("codespell", "README.md", "CHANGELOG.md", "docs", "tutorials", "examples")


@nox.session
def docs(session):
    """The pages, to docs/_build/html, and every script of the gallery in an empty folder."""
    session.install("-e", ".[docs,test]")
    pages = ("-q", "-W", "-n", *session.posargs, "docs", "docs/_build/html")
    session.run("sphinx-build", *pages, env={"OMP_NUM_THREADS": "1"})
    session.run("pytest", "--dist=worksteal", "tests/project/test_downloads.py")


@nox.session
def oldest(session):
    """The tests with the oldest numpy, scikit-learn and joblib that setup.cfg allows; Python 3.10."""
    requirements = re.search(r"install_requires =\n((?: +\S+\n)+)", Path("setup.cfg").read_text()).group(1).split()
    bounds = [requirement.replace(">=", "==") + ".*" for requirement in requirements]
    # later ones warn of the protocol by which scikit-learn 1.7 reads frames
    session.install("-e", ".[test]", *bounds, "polars<1.40")
    session.run("pytest", *session.posargs)


@nox.session
@nox.parametrize("sklearn", SKLEARNS)
def checks(session, sklearn):
    """scikit-learn's estimator checks on one of its versions."""
    session.install("-e", ".[test]", f"scikit-learn=={sklearn}.*")
    session.run("pytest", "tests/estimators/test_sklearn_checks.py", *session.posargs)


@nox.session(python=["3.14t"])
def free_threaded(session):
    """Tests where threads have no lock in common, and races come to light."""
    # the extra for tests without polars, which has no wheels for it; its tests are skipped
    session.install("-e", ".", "pytest>=8", "pytest-xdist>=3.5", "hypothesis>=6.100", "matplotlib>=3.6", "pandas>=2")
    session.install("numpydoc~=1.11.0")
    session.run("python", "-c", "import sys, skrnn; sys.exit(sys._is_gil_enabled())")
    session.run("pytest", *session.posargs)


@nox.session
def build(session):
    """The source distribution and the wheel, to dist, and whether an index would take them."""
    session.install("build", "twine")
    shutil.rmtree("dist", ignore_errors=True)
    session.run("python", "-m", "build")
    session.run("twine", "check", "--strict", *sorted(str(path) for path in Path("dist").iterdir()))


@nox.session(python=PYTHONS)
def wheel(session):
    """The wheel in `dist` without any extra: it is imported, fits, predicts, is saved and read."""
    (built,) = Path("dist").glob("*.whl")
    session.install(str(built))
    script = Path("tests/bare.py").resolve()
    session.chdir(session.create_tmp())  # the sources are not here
    session.run("python", "-W", "error", script)


@nox.session
def golden(session):
    """Record anew what tests/golden holds."""
    session.install("-e", ".[test]")
    session.run("python", "-W", "ignore", "-m", "golden.record", env={"PYTHONPATH": "tests"})


@nox.session
def stress(session):
    """Interrupts and forks at random moments, some minutes."""
    session.install("-e", ".[test]")
    session.run("python", "benchmarks/stress_guard.py")


@nox.session
def benchmarks(session):
    """Times of this commit by asv, two minutes; `-- HASH` compares with another one."""
    session.install("asv>=0.6.4", "virtualenv")
    session.chdir("benchmarks/asv")
    session.run("asv", "machine", "--yes")
    if session.posargs:
        session.run("asv", "continuous", "--factor=1.2", *session.posargs, "HEAD")
    else:
        session.run("asv", "run", "--show-stderr", "HEAD^!")
