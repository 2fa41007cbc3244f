"""Every public docstring is numpydoc: parameters, returns and errors described, and an example that runs."""

import dataclasses
import importlib
import inspect
import pkgutil
import re
from pathlib import Path

import numpy as np
import pytest
from numpydoc.docscrape import ClassDoc
from numpydoc.validate import validate

import skrnn.core
from skrnn._documentation import ENTRIES

CORE = [module.name for module in pkgutil.walk_packages(skrnn.core.__path__, "skrnn.core.")]
PUBLIC = [
    "skrnn",
    *(
        f"skrnn.{name}"
        for name in ("callbacks", "datasets", "export", "inspection", "metrics", "preprocessing", "sequences")
    ),
]
MODULES = [*PUBLIC, *CORE]
IGNORED = {
    "ES01": "one line may say all",
    "SA01": "not everything has a neighbour",
    "RT02": "what is returned has a name, as it has in the code",
    "RT04": "a description may begin with a name",
    "PR06": "ndarray, integer: any dtype of integers, of which numpydoc makes int",
    "PR08": "a description may begin with a name",
    "SS05": '"Views of the vector" says what comes back, better than "Return ..."',
}
INHERITED = {"PR01", "PR02", "RT01", "YD01", "GL08"}  # an override is documented by the contract that it fulfils
OF_FUNCTIONS = {"EX01"}  # the example of a class shows its methods
INTERNALS = (
    "skrnn.core.cached",
    "skrnn.core.data.segments",
    "skrnn.core.kernels",
    "skrnn.core.model.bptt",
    "skrnn.core.model.chain",
    "skrnn.core.model.head",
    "skrnn.core.model.inputs",
    "skrnn.core.model.layer",
    "skrnn.core.model.pooling",
    "skrnn.core.model.readouts",
    "skrnn.core.model.stack",
    "skrnn.core.model.state",
    "skrnn.core.model.windows",
)
"""Modules that the parts of the core use among themselves: a line says what is done, and gives the shapes."""
OF_INTERNALS = {"PR01", "RT01", "YD01", "EX01"}


def public_names(module):
    """Names of what a module defines for others: its ``__all__``, or all that has no underscore."""
    if hasattr(module, "__all__") and not module.__name__.startswith("skrnn.core"):
        return module.__all__
    return [
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and (inspect.isclass(value) or inspect.isfunction(value))
        and value.__module__ == module.__name__
    ]


def methods_of(cls):
    return [
        name
        for name, value in vars(cls).items()
        if not name.startswith(("_", "set_")) and (callable(value) or isinstance(value, (classmethod, property)))
    ]


def objects():
    for module in map(importlib.import_module, MODULES):
        for name in public_names(module):
            value = getattr(module, name)
            if inspect.isclass(value) or inspect.isfunction(value):
                yield f"{module.__name__}.{name}"
            if inspect.isclass(value):
                yield from (f"{module.__name__}.{name}.{method}" for method in methods_of(value))


OBJECTS = list(objects())


def resolve(name):
    """An object by its full name, and the class that it is a method of."""
    module, _, attribute = name.rpartition(".")
    if module in MODULES:
        return getattr(importlib.import_module(module), attribute), None
    owner, _ = resolve(module)
    return vars(owner)[attribute], owner


def fields_of(cls):
    """Names of the fields of a data class or named tuple."""
    if dataclasses.is_dataclass(cls):
        return {field.name for field in dataclasses.fields(cls) if field.init and not field.name.startswith("_")}
    return set(getattr(cls, "_fields", ()))


def described(cls):
    """What the docstrings of a class and its bases describe as parameters or attributes."""
    docs = [ClassDoc(base) for base in cls.__mro__ if base.__module__.startswith("skrnn")]
    entries = [entry.name for doc in docs for part in ("Parameters", "Attributes") for entry in doc[part]]
    return {name for entry in entries for name in entry.split(", ")}


def test_internals_are_modules():
    assert all(any(module.startswith(name) for module in CORE) for name in INTERNALS)


def test_all_of_the_public_objects_are_looked_at():
    assert len(OBJECTS) > 150
    assert {"skrnn.RNNSequenceClassifier.fit", "skrnn.core.cells.lstm.LSTMCell", "skrnn.sequences.to_padded"} <= set(
        OBJECTS
    )


@pytest.mark.parametrize("name", OBJECTS)
def test_docstring_is_numpydoc(name):
    value, owner = resolve(name)
    errors = [(code, message) for code, message in validate(name)["errors"] if code not in IGNORED]
    if owner is not None:
        errors = [error for error in errors if error[0] not in OF_FUNCTIONS]
        if any(name.rpartition(".")[2] in vars(base) for base in owner.__mro__[1:]):
            errors = [error for error in errors if error[0] not in INHERITED]
    if name.startswith(INTERNALS):
        errors = [error for error in errors if error[0] not in OF_INTERNALS]
    elif inspect.isabstract(value):
        errors = [error for error in errors if error[0] not in OF_FUNCTIONS]
    if fields_of(value):  # fields are described as parameters or as attributes, where they were first named
        assert fields_of(value) <= described(value)
        errors = [error for error in errors if error[0] not in {"PR01", "EX01"}]  # records show in what hands them over

    assert not errors


@pytest.mark.parametrize("name", OBJECTS)
def test_descriptions_are_text(name):
    """A letter with a point would be read as the marker of an empty list."""
    value, _ = resolve(name)
    assert not re.search(r"^ *[A-Za-z]\.$", inspect.getdoc(value) or "", flags=re.MULTILINE)


def test_the_reference_lists_every_public_name():
    pages = "\n".join(path.read_text() for path in (Path(__file__).parents[2] / "docs" / "api").glob("*.md"))
    words = set(re.findall(r"[\w.]+", pages))

    assert {name for module in PUBLIC for name in importlib.import_module(module).__all__} <= words
    assert set(CORE) <= words


@pytest.mark.parametrize(
    "name",
    [
        "RNNNextTokenModel",
        "RNNSequenceAnomalyDetector",
        "RNNSequenceClassifier",
        "RNNSequenceRegressor",
        "RNNSequenceTagger",
    ],
)
def test_defaults_are_those_of_the_constructor(name):
    """Also where an entry is shared by all estimators."""
    cls = getattr(skrnn, name)
    documented = {}
    for entry in ClassDoc(cls)["Parameters"]:
        names, values = entry.name.split(", "), entry.type.partition("default=")[2].split(", ")
        documented |= dict(zip(names, values, strict=True))

    defaults = {name: parameter.default for name, parameter in inspect.signature(cls).parameters.items()}
    assert documented.keys() == defaults.keys()
    for parameter, text in documented.items():
        assert eval(text, {"np": np, "inf": np.inf}) == defaults[parameter]


def test_shared_entries_are_written_out():
    docs = [inspect.getdoc(getattr(skrnn, name)) for name in skrnn.__all__ if name.startswith("RNN")]
    assert not any(re.search(r"^ *\{\w+\}$", doc, flags=re.MULTILINE) for doc in docs)
    assert all(sum(f"\n{name}" in doc for doc in docs) >= 2 for name in ENTRIES)
