"""The sources of Python's standard library: megabytes of text that every installation has."""

from __future__ import annotations

import platform
import sys
import sysconfig
import tokenize
from collections.abc import Iterator
from pathlib import Path

from sklearn.utils import Bunch

_LEFT_OUT = {"encodings", "idlelib", "lib2to3", "pydoc_data", "turtledemo"}  # tables, documentation, applications
_NAMED = {tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}
_SILENT = {tokenize.COMMENT, tokenize.NL, tokenize.ENDMARKER}

_DESCRIPTION = """\
Sources of Python's standard library
====================================

The modules of the standard library of the Python that runs, read from its own files: {n_modules} modules of
Python {version}, as {kind}. The data differ from one version of Python to the next.

Left out: tests, extension modules, the packages {left_out}, and what cannot be read.

Licence: the Python Software Foundation License, https://docs.python.org/3/license.html. Nothing of it is copied into
skrnn.
"""


def load_stdlib_text(*, kind: str = "text", max_size: int | None = None) -> Bunch:
    """Load the sources of Python's standard library (long texts, or long sequences of words).

    =================  ==================================================
    Sequences          about 400 modules
    Steps              about 8 million characters, or 1.5 million tokens
    Tokens             characters, or what Python's tokenizer makes
    =================  ==================================================

    The modules are those of the Python that runs, so there is nothing to download, and the sizes depend on its version.

    Parameters
    ----------
    kind : {"text", "tokens"}, default="text"
        "text" for one str of each module; "tokens" for a list of its tokens as :mod:`tokenize` finds them: names,
        numbers, operators, whole literals, and ``"NEWLINE"``, ``"INDENT"``, ``"DEDENT"``; comments are left out.
    max_size : int, default=None
        Characters, or tokens, to load in total at most: modules are taken in order until one does not fit. None for
        all of them.

    Returns
    -------
    bunch : :class:`~sklearn.utils.Bunch`
        With the following attributes:

        data : list of n_modules str, or of n_modules lists of str
            The sources.
        module_names : list of n_modules str
            Such as ``"collections.abc"``, in alphabetical order.
        DESCR : str
            Description, source, licence.

    Raises
    ------
    ValueError
        If `kind` is neither of the two names.
    OSError
        If this Python has no sources of its standard library, or none that fits into `max_size`.

    Notes
    -----
    Licence of the data: Python Software Foundation License.

    Examples
    --------
    >>> from skrnn.datasets import load_stdlib_text
    >>> modules = load_stdlib_text(max_size=100_000)
    >>> modules.module_names[0], len(modules.data) == len(modules.module_names)
    ('__future__', True)
    >>> load_stdlib_text(kind="tokens", max_size=1000).data[0][1:8]
    ['NEWLINE', 'all_feature_names', '=', '[', '"nested_scopes"', ',', '"generators"']
    """
    if kind not in ("text", "tokens"):
        raise ValueError(f'kind must be "text" or "tokens", got {kind!r}.')
    data: list[str | list[str]] = []
    names: list[str] = []
    size = 0
    for name, path in _modules():
        try:
            source = _read_text(path) if kind == "text" else _read_tokens(path)
        except (OSError, SyntaxError, UnicodeDecodeError, tokenize.TokenError):
            continue
        size += len(source)
        if max_size is not None and size > max_size:
            break
        if source:
            names.append(name)
            data.append(source)
    if not data:
        raise OSError(
            f"No source of the standard library was found in {sysconfig.get_path('stdlib')} that fits into "
            f"max_size={max_size}."
        )
    description = _DESCRIPTION.format(
        n_modules=len(data), version=platform.python_version(), kind=kind, left_out=", ".join(sorted(_LEFT_OUT))
    )
    return Bunch(data=data, module_names=names, DESCR=description)


def _modules() -> Iterator[tuple[str, Path]]:
    """Names and files of the modules, in order of the names."""
    root = Path(sysconfig.get_path("stdlib"))
    paths = {}
    for entry in root.iterdir():
        if entry.stem in sys.stdlib_module_names - _LEFT_OUT:  # tests and installed packages are not among them
            for path in entry.rglob("*.py") if entry.is_dir() else [entry] if entry.suffix == ".py" else []:
                parts = path.relative_to(root).with_suffix("").parts
                if not {"test", "tests"} & set(parts):
                    paths[".".join(parts).removesuffix(".__init__")] = path
    yield from sorted(paths.items())


def _read_text(path: Path) -> str:
    with tokenize.open(path) as file:  # in the encoding that the source declares
        return file.read()


def _read_tokens(path: Path) -> list[str]:
    with tokenize.open(path) as file:
        return [
            tokenize.tok_name[token.type] if token.type in _NAMED else token.string
            for token in tokenize.generate_tokens(file.readline)
            if token.type not in _SILENT
        ]
