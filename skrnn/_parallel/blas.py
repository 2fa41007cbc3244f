"""The guard that holds BLAS at one thread, and the number of threads that a fit may use instead.

Two BLAS threads gain little on the small products of a recurrent step, and lose a factor of a hundred when another
process keeps the cores busy: their workers spin.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from threading import RLock
from typing import NamedTuple, ParamSpec, TypeVar
from weakref import WeakSet

import numpy as np
from joblib import cpu_count, effective_n_jobs
from threadpoolctl import LibController, ThreadpoolController

P = ParamSpec("P")
R = TypeVar("R")


def guarded(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Call a function with BLAS at one thread, and without warnings of the floating-point unit.

    This is no context manager, because Ctrl-C may come at the first instruction of an ``__exit__``, which then undoes
    nothing. Here it may come anywhere: what it keeps the first `leave` from, the second does.
    """
    hold = _Hold()
    try:
        try:
            _guard.enter(hold)
            np.seterr(all="ignore")
            return function(*args, **kwargs)
        finally:
            _guard.leave(hold)
    finally:
        _guard.leave(hold)


def set_up_worker() -> None:
    """Set for the rest of this thread what `guarded` sets and a thread does not get from the one that started it."""
    _lower(_blas().of_thread, {})
    np.seterr(all="ignore")


class _Hold:
    """One call inside the guard, and what its own thread had before."""

    __slots__ = ("__weakref__", "errors", "is_over", "limits")

    def __init__(self) -> None:
        self.errors = np.geterr()
        self.limits: dict[LibController, int] = {}
        self.is_over = False


class _Guard:
    """Limits of BLAS: the first call inside lowers them, the last one out puts them back, on whatever threads they run.

    threadpoolctl's own limits restore what each of them found: two that overlap, and end in the order in which they
    began, leave BLAS at one thread for good. The lock is held for microseconds, never during a call.
    """

    def __init__(self) -> None:
        self.lock = RLock()
        self.inside: WeakSet[_Hold] = WeakSet()
        self.before: dict[LibController, int] = {}

    def enter(self, hold: _Hold) -> None:
        _lower(_blas().of_thread, hold.limits)
        self._settle(hold, is_inside=True)

    def leave(self, hold: _Hold) -> None:
        if hold.is_over:
            return
        self._settle(hold, is_inside=False)
        _put_back(hold.limits)
        np.seterr(**hold.errors)
        hold.is_over = True

    def _settle(self, hold: _Hold, is_inside: bool) -> None:
        libraries = _blas().of_process
        try:  # not `with`, where an interrupt may come after the lock is acquired and before its release is sure
            self.lock.acquire()
            if is_inside and not self.inside:
                _lower(libraries, self.before)
            (self.inside.add if is_inside else self.inside.discard)(hold)
            if not self.inside:
                _put_back(self.before)
        finally:
            try:  # noqa: SIM105 - `suppress` could be interrupted before the release
                self.lock.release()
            except RuntimeError:  # an interrupt came before the lock was acquired
                pass

    def begin_anew(self) -> None:
        """Forget who is inside: in the child of a fork no other thread continues, and nobody will release the lock."""
        self.lock, self.inside = RLock(), WeakSet()
        _put_back(self.before)


_guard = _Guard()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_guard.begin_anew)


class _Libraries(NamedTuple):
    """BLAS libraries of this process, by what a limit holds for."""

    of_process: list[LibController]
    of_thread: list[LibController]


@cache
def _blas() -> _Libraries:
    """Find the libraries, which takes milliseconds."""
    found = _Libraries([], [])
    for library in ThreadpoolController().select(user_api="blas").lib_controllers:
        layer = getattr(library, "threading_layer", None)
        is_of_thread = library.internal_api == "mkl" or (library.internal_api == "openblas" and layer == "openmp")
        (found.of_thread if is_of_thread else found.of_process).append(library)
    return found


def _lower(libraries: list[LibController], before: dict[LibController, int]) -> None:
    """Limit libraries to one thread; note in `before` what they had, before it changes."""
    for library in libraries:
        n_threads = library.num_threads
        if n_threads != 1:
            before[library] = n_threads
            _set(library, 1)


def _put_back(before: dict[LibController, int]) -> None:
    """Give libraries the limits that they had, where nobody else has set another one meanwhile."""
    for library, n_threads in before.items():
        if library.num_threads == 1:
            _set(library, n_threads)
    before.clear()


def _set(library: LibController, n_threads: int) -> None:
    """Limit a library from any thread; threadpoolctl 3.8 itself lets only the thread change a limit that set it."""
    getattr(library, "_real_set_num_threads", library.set_num_threads)(n_threads)


def allowed_threads(n_jobs: int | None) -> int:
    """Number of threads that a fit may use, at most one for each CPU.

    None asks for as many as BLAS may use at this moment, so that OMP_NUM_THREADS, threadpool_limits and the nesting of
    joblib hold: inside the guard that is one. A number is meant as joblib means it.
    """
    if n_jobs is None:
        libraries = _blas().of_process + _blas().of_thread
        return min((library.num_threads for library in libraries), default=1)
    if n_jobs == 0:
        raise ValueError("n_jobs is 0, but it must be a number of threads, -1 for one on each CPU, or None.")
    return min(effective_n_jobs(int(n_jobs)), cpu_count())
