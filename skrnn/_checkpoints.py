"""Checkpoints: a file from which a fit that was cut off continues to the same result."""

from __future__ import annotations

import os
import pickle
import time
from copy import copy
from dataclasses import replace
from numbers import Integral, Real
from pathlib import Path
from typing import Any, ClassVar
from weakref import ref

import numpy as np
from sklearn.utils._param_validation import Interval, validate_parameter_constraints  # as in _base.py

from ._atomic_files import check_writable, replacing
from ._callbacks import check_has_callbacks
from ._config import as_python
from ._fitted import Fitted, ResumePoint


class Checkpoint:
    """Write what a fit has learned to a file, again and again, so that it can continue after a crash.

    A callback of scikit-learn: ``model.set_callbacks(Checkpoint("model.pickle"))``, before `fit`. What is written is
    the estimator as it would be if the fit had ended with this epoch, and where training stands:
    :func:`load_checkpoint` reads it, and its `fit` continues with the epochs that are left, to the same bits as a fit
    that was never cut off.

    At every moment the file is complete, or not there yet: each checkpoint is written beside it, flushed to the disk,
    and then takes its place. The end of the fit is written, too, unless Ctrl-C or a loss that is not finite brought it:
    then the file stays as it is, to continue from.

    Parameters
    ----------
    path : str or path-like
        The file, whose folder has to exist. An earlier file of this name is replaced with the first checkpoint.
    every_n_epochs : int, default=1
        Write after this many epochs, counted from the beginning of the fit.
    every_n_minutes : float or None, default=None
        Least time from one checkpoint to the next, from the beginning of the fit to the first; None writes each one.

    Raises
    ------
    ImportError
        If scikit-learn is older than 1.9, which would call no callback.
    InvalidParameterError
        If a number is not in its range.
    TypeError
        If `path` is none.

    See Also
    --------
    load_checkpoint : Read the file, to continue.

    Notes
    -----
    Where no checkpoint can be written, `fit` raises before it trains: if the folder cannot be written to or `path` is a
    folder, if the estimator cannot be pickled, if `solver` is "lbfgs", whose curvature is not kept, and if the
    estimator is none of skrnn. In a pipeline, set it on the step. A disk that is full later raises, too.

    A checkpoint belongs to the estimator that it is set on. A copy or clone of that, as in a search or in
    cross-validation, raises in `fit`: many fits would replace each other's file. So does `partial_fit`, which calls no
    callbacks.

    The file is a pickle of the estimator without its callbacks: plain values, as in any file of the estimators. Load
    only files that you trust.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from skrnn import RNNSequenceClassifier
    >>> from skrnn.callbacks import Checkpoint, load_checkpoint
    >>> X, y = [[0.0, 1.0], [1.0, 0.0]] * 4, [0, 1] * 4
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "model.pickle"
    ...     model = RNNSequenceClassifier(4, learning_rate="cosine", max_iter=5, random_state=0)
    ...     model = model.set_callbacks(Checkpoint(path, every_n_epochs=2)).fit(X, y)
    ...     load_checkpoint(path).n_iter_
    5
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "every_n_epochs": [Interval(Integral, 1, None, closed="left")],
        "every_n_minutes": [Interval(Real, 0, np.inf, closed="neither"), None],
    }

    def __init__(
        self, path: str | os.PathLike[str], *, every_n_epochs: int = 1, every_n_minutes: float | None = None
    ) -> None:
        check_has_callbacks("Checkpoint")
        self.path = Path(path)
        self.every_n_epochs = as_python(every_n_epochs)
        self.every_n_minutes = as_python(every_n_minutes)
        validate_parameter_constraints(self._parameter_constraints, self._intervals(), "Checkpoint")
        self._is_set = False
        self._owner: ref[Any] | None = None

    def _belong_to(self, estimator: Any) -> None:
        """Write for this estimator, if not for an earlier one."""
        if not self._is_set:
            self._is_set, self._owner = True, ref(estimator)

    def setup(self, estimator: Any, context: Any) -> None:
        """Raise where no checkpoint could be written; called by `fit` before it trains.

        Parameters
        ----------
        estimator : estimator
            What is fitted.
        context : CallbackContext
            Its task.
        """
        name = type(estimator).__name__
        if not self._is_set:
            raise TypeError(
                f"Checkpoint writes networks of skrnn, such as an RNNSequenceClassifier, but was set on a {name}. Set "
                "it on such a network; in a pipeline, on that step."
            )
        is_own = self._owner is not None and self._owner() is estimator
        if not is_own:
            raise ValueError(
                f"Checkpoint({os.fspath(self.path)!r}) was set on another {name}, of which this one is a copy, as in a "
                "search, a cross-validation or an ensemble: several fits would write the same file. Fit the estimator "
                "that it was set on, or give this one a checkpoint of its own with set_callbacks."
            )
        if estimator.solver == "lbfgs":
            raise ValueError(
                "solver='lbfgs' cannot continue from a checkpoint: the curvature that it has learned is not kept. Use "
                "adam, sgd or rmsprop, or take the checkpoint away with set_callbacks()."
            )
        self._target = Path(os.path.realpath(self.path))  # of a link, and wherever the process goes meanwhile
        check_writable(self._target, self.path)
        _check_pickles(estimator)
        self._written: ResumePoint | None = None
        self._time = time.monotonic()

    def on_fit_task_begin(self, estimator: Any, context: Any) -> None:
        """Do nothing.

        Parameters
        ----------
        estimator : estimator
            What is fitted.
        context : CallbackContext
            The task.
        """

    def on_fit_task_end(self, estimator: Any, context: Any, *, fitted_estimator: Any = None) -> None:
        """Write a checkpoint if it is time to.

        Parameters
        ----------
        estimator : estimator
            What is fitted.
        context : CallbackContext
            The task: an epoch, or the fit.
        fitted_estimator : estimator or None, default=None
            As if it had ended.
        """
        left: Fitted[Any] | None = getattr(fitted_estimator, "_resumable", None)
        if left is None or left.resume is None:
            return
        is_end = context.task_name == "fit"
        if left.resume != self._written if is_end else self._is_due(left.resume):
            self._write(fitted_estimator, left, left.resume)

    def teardown(self, estimator: Any, context: Any) -> None:
        """Do nothing: every file is complete.

        Parameters
        ----------
        estimator : estimator
            What was fitted.
        context : CallbackContext
            Its task.
        """

    def __getstate__(self) -> dict[str, Any]:
        return {"path": self.path, **self._intervals(), "_is_set": self._is_set, "_owner": None}

    def _intervals(self) -> dict[str, Any]:
        return {"every_n_epochs": self.every_n_epochs, "every_n_minutes": self.every_n_minutes}

    def _is_due(self, resume: ResumePoint) -> bool:
        """Whether to write after an epoch."""
        if resume.n_epochs % self.every_n_epochs:
            return False
        return self.every_n_minutes is None or time.monotonic() - self._time >= 60 * self.every_n_minutes

    def _write(self, fitted_estimator: Any, left: Fitted[Any], resume: ResumePoint) -> None:
        """Put the estimator as it would be left into the file."""
        model = _without_callbacks(fitted_estimator)
        model._take(replace(left, resume=replace(resume, intervals=self._intervals())))
        with replacing(self._target) as file:
            pickle.dump(model, file, pickle.HIGHEST_PROTOCOL)
        self._written, self._time = resume, time.monotonic()


def load_checkpoint(path: str | os.PathLike[str]) -> Any:
    """Read an estimator whose fit continues where its last checkpoint was written.

    ``load_checkpoint(path).fit(X, y)``, with the arguments of the fit that was cut off, runs the epochs that are left
    at their learning rates, with the same random numbers, moments, patience and validation split, and writes
    checkpoints to the same file. On the same machine, and with as many threads, the fitted estimator is that of a fit
    that was never cut off, to the last bit. Its next `fit` begins anew, or continues with `warm_start`.

    Parameters
    ----------
    path : str or path-like
        What :class:`Checkpoint` wrote. Load only files that you trust, for they are pickles.

    Returns
    -------
    model : estimator
        Fitted, so that it predicts as after the epoch of the checkpoint. Its only callback is a :class:`Checkpoint` of
        the same path and intervals; set others together with one, since `set_callbacks` replaces all.

    Raises
    ------
    ImportError
        If scikit-learn is older than 1.9, with which no more checkpoints would be written.
    OSError
        If there is no such file, or it cannot be read.
    ValueError
        If it is not a checkpoint.

    See Also
    --------
    Checkpoint : Write the file.

    Notes
    -----
    `fit` raises a ValueError for other X, y, weights or validation sequences, of which the file has checksums.
    Parameters may be set in between, as for `warm_start`; a larger `max_iter` lets the fit continue for longer, and
    stretches a cosine.

    The file is an ordinary pickle of the estimator: ``pickle.load`` reads it, too, and its fit continues, but writes no
    checkpoints.

    Examples
    --------
    A fit that is stopped after two epochs, and continues to the same end:

    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> import numpy as np
    >>> from skrnn import RNNSequenceClassifier
    >>> from skrnn.callbacks import Checkpoint, load_checkpoint
    >>> class CutOff(Checkpoint):
    ...     def on_fit_task_end(self, estimator, context, *, fitted_estimator):
    ...         super().on_fit_task_end(estimator, context, fitted_estimator=fitted_estimator)
    ...         if context.task_id == 1:
    ...             raise RuntimeError("the power fails")
    >>> X, y = [[0.0, 1.0], [1.0, 0.0]] * 4, [0, 1] * 4
    >>> model = RNNSequenceClassifier(4, learning_rate="cosine", max_iter=5, random_state=0)
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "model.pickle"
    ...     try:
    ...         model.set_callbacks(CutOff(path)).fit(X, y)
    ...     except RuntimeError:
    ...         resumed = load_checkpoint(path)
    ...     print(resumed.n_iter_, resumed.fit(X, y).n_iter_)
    2 5
    >>> whole = model.set_callbacks().fit(X, y)
    >>> bool(np.array_equal(resumed.predict_proba(X), whole.predict_proba(X)))
    True
    """
    check_has_callbacks("load_checkpoint")
    data = Path(path).read_bytes()
    try:
        model = pickle.loads(data)
    except Exception as error:  # whatever a file of another kind makes of a pickle's instructions
        raise ValueError(
            f"{os.fspath(path)!r} cannot be read as a checkpoint: {type(error).__name__}: {error}"
        ) from error
    fitted = getattr(model, "_fitted", None)
    if not isinstance(fitted, Fitted) or fitted.resume is None:
        raise ValueError(
            f"{os.fspath(path)!r} holds {'a model' if fitted else 'an object'} of type {type(model).__name__}, but no "
            "checkpoint to continue from. Pass a file that Checkpoint wrote, or read this one with pickle."
        )
    return model.set_callbacks(Checkpoint(path, **fitted.resume.intervals))


def _without_callbacks(estimator: Any) -> Any:
    """Return a copy without callbacks."""
    return copy(estimator).set_callbacks()


def _check_pickles(estimator: Any) -> None:
    """Raise where an estimator cannot be pickled, whatever it learns."""
    model = _without_callbacks(estimator)
    vars(model).pop("_fitted", None)
    try:
        pickle.dumps(model, pickle.HIGHEST_PROTOCOL)
    except Exception as error:  # pickle raises what the objects raise
        raise ValueError(
            f"Checkpoint cannot write this {type(estimator).__name__}, since pickle cannot: {error}. Functions in its "
            "parameters, such as `scoring`, need a name in a module."
        ) from error
