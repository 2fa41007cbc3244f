"""The guard that holds BLAS at one thread, and the number of threads that a fit may use instead.

Two BLAS threads gain little on the small products of a recurrent step, and lose a factor of a hundred when another
process keeps the cores busy: their workers spin.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import cache
from threading import Event, RLock, Thread

from joblib import effective_n_jobs
from threadpoolctl import ThreadpoolController


@cache
def _blas() -> ThreadpoolController:
    """The BLAS libraries of this process; looking for them takes milliseconds."""
    return ThreadpoolController().select(user_api="blas")


class _BlasGuard:
    """One BLAS thread while anyone is inside; the first in begins it and the last out ends it.

    threadpoolctl's own limits restore what each of them found: two that overlap, and end in the order in which they
    began, leave BLAS at one thread for good. And only the thread that set a limit may take it back (threadpoolctl
    3.8), so a thread of the guard's own holds it.
    """

    def __init__(self) -> None:
        self._lock = RLock()
        self._n_inside = 0
        self._last_left = Event()
        self._keeper = Thread()

    @contextmanager
    def __call__(self) -> Iterator[None]:
        with self._lock:
            if self._n_inside == 0:
                is_held = Event()
                self._last_left.clear()
                self._keeper = Thread(target=self._hold, args=(is_held,), daemon=True)
                self._keeper.start()
                is_held.wait()
            self._n_inside += 1
        try:
            with _blas().limit(limits=1):  # where this very thread holds a limit, only it may change it
                yield
        finally:
            with self._lock:
                self._n_inside -= 1
                if self._n_inside == 0:
                    self._last_left.set()
                    self._keeper.join()

    @contextmanager
    def briefly(self) -> Iterator[None]:
        """The same for work of milliseconds, in 25 us instead of one millisecond.

        This thread sets the limit itself, and those who come for longer wait. Where someone else is inside, or here for
        as short a time, that is enough.
        """
        if not self._lock.acquire(blocking=False):
            yield
            return
        try:
            with _blas().limit(limits=1) if self._n_inside == 0 else nullcontext():
                yield
        finally:
            self._lock.release()

    def _hold(self, is_held: Event) -> None:
        try:
            with _blas().limit(limits=1):
                is_held.set()
                self._last_left.wait()
        finally:
            is_held.set()


single_threaded_blas = _BlasGuard()


def allowed_threads(n_jobs: int | None) -> int:
    """Number of threads that a fit may use.

    None asks for as many as BLAS may use at this moment, so that OMP_NUM_THREADS, threadpool_limits and the nesting of
    joblib hold; a number is meant as joblib means it.
    """
    if n_jobs is not None:
        return effective_n_jobs(n_jobs)
    return min((pool["num_threads"] for pool in _blas().info()), default=1)
