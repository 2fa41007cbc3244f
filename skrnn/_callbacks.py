"""A fit and its epochs as tasks of scikit-learn's callbacks, which versions before 1.9 do not have."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, TypeVar

import sklearn

from .core.training.monitor import Observer, TrainingMonitor

R = TypeVar("R")


class _NoContext:
    """Stands in for scikit-learn's ``CallbackContext``, and calls nothing."""

    def subcontext(self, **task: Any) -> _NoContext:
        return self

    @contextmanager
    def propagate_callback_context(self, sub_estimator: Any) -> Iterator[None]:
        yield

    def call_on_fit_task_begin(self, **arguments: Any) -> _NoContext:
        return self

    def call_on_fit_task_end(self, **arguments: Any) -> bool:
        return False


try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks

    HAS_CALLBACKS = True
except ImportError:
    HAS_CALLBACKS = False

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """What scikit-learn 1.9 has under this name, without callbacks."""

        def set_callbacks(self, *callbacks: Any) -> Any:
            """Raise unless there is nothing to set."""
            if callbacks:
                check_has_callbacks(f"{type(self).__name__}.set_callbacks")
            return self

        def _init_callback_context(self, **task: Any) -> _NoContext:
            return _NoContext()

    def with_callbacks(method: Callable) -> Callable:
        """Return the method."""
        return method


TRANSIENT = ("_callback_fit_ctx", "_skl_callbacks_to_teardown", "_parent_callback_ctx", "_resumable")
"""Attributes that are there while a fit runs: no copy and no file has them."""


def lasting_attributes(estimator: Any) -> dict[str, Any]:
    """Return a dict of all attributes but those that are there only while a fit runs, perhaps on another thread."""
    return {name: value for name, value in dict(vars(estimator)).items() if name not in TRANSIENT}


def check_has_callbacks(name: str) -> None:
    """Raise where scikit-learn has no callbacks, which `name` needs."""
    if not HAS_CALLBACKS:
        raise ImportError(
            f"{name} needs the callbacks of scikit-learn 1.9, but scikit-learn {sklearn.__version__} is installed. "
            "Install it: pip install 'scikit-learn>=1.9'."
        )


def as_one_task(fit: Callable[..., R]) -> Callable[..., R]:
    """Decorate a `fit`, or a `fit_transform`, that has no subtasks."""

    @with_callbacks
    @wraps(fit)
    def told(estimator: Any, X: Any, y: Any = None, **params: Any) -> R:
        task = estimator._init_callback_context().call_on_fit_task_begin(estimator=estimator, X=X, y=y)
        result = fit(estimator, X, y, **params)
        task.call_on_fit_task_end(estimator=estimator, X=X, y=y, reconstruction_attributes={})
        return result

    return told


@contextmanager
def fitting_part(task: Any, estimator: Any, part: Any, X: Any) -> Iterator[None]:
    """Make what fits a part of an estimator, itself an estimator, a subtask; the callbacks that propagate see it."""
    subtask = task.subcontext(task_name="fit-estimator")
    with subtask.propagate_callback_context(part):
        subtask.call_on_fit_task_begin(estimator=estimator, X=X)
        yield
        subtask.call_on_fit_task_end(estimator=estimator, X=X)


class FitTask(Observer):
    """The task of a fit, the subtasks of which are its epochs; begins with its making.

    ``snapshot(has_converged)`` returns the attributes of the estimator as if the fit had ended at this moment. It is
    set once there is something to train, and called only where a callback wants it.
    """

    def __init__(self, context: Any, epoch_name: str, estimator: Any, X: Any, y: Any, sample_weight: Any) -> None:
        metadata = None if sample_weight is None else {"sample_weight": sample_weight}
        self._arguments = {"estimator": estimator, "X": X, "y": y, "metadata": metadata}
        self._context, self._epoch_name = context, epoch_name
        self._epoch: Any = None
        self.snapshot: Callable[[bool], dict[str, Any] | None] = lambda has_converged: None
        self.has_converged = False
        context.call_on_fit_task_begin(**self._arguments)

    @classmethod
    def silent(cls) -> FitTask:
        """Return one that tells no callback."""
        return cls(_NoContext(), "", None, None, None, None)

    def begin_epoch(self) -> None:
        """Begin the subtask of an epoch."""
        self._epoch = self._context.subcontext(task_name=self._epoch_name)
        self._epoch.call_on_fit_task_begin(**self._arguments, reconstruction_attributes=self._now)

    def end_epoch(self, monitor: TrainingMonitor, has_converged: bool) -> bool:
        """End the subtask; return whether a callback ends the fit."""
        epoch, self._epoch = self._epoch, None
        self.has_converged = has_converged
        is_stopped = epoch.call_on_fit_task_end(**self._arguments, reconstruction_attributes=self._now)
        self.has_converged |= is_stopped
        return bool(is_stopped)

    def _now(self) -> dict[str, Any] | None:
        return self.snapshot(self.has_converged)

    def end(self, reconstruct: Callable[[], dict[str, Any] | None]) -> None:
        """End the task, and the epoch in which it broke off, if it did."""
        if self._epoch is not None:
            self._epoch.call_on_fit_task_end(**self._arguments)
        self._context.call_on_fit_task_end(**self._arguments, reconstruction_attributes=reconstruct)
