"""Tasks that run at the same time."""

from __future__ import annotations

from _thread import LockType, allocate_lock, start_new_thread
from collections.abc import Callable, Sequence
from typing import TypeVar

from .blas import set_up_worker

R = TypeVar("R")


def run_together(tasks: Sequence[Callable[[], R]]) -> list[R]:
    """Run tasks at the same time, the first of them on this thread; return their results, or raise what one raised.

    Its threads and locks are those that Python itself is made of. `threading` and `concurrent.futures` are Python code,
    which Ctrl-C may leave with a lock held, and a thread that waits for it for ever.
    """
    results: dict[int, R] = {}
    errors: list[BaseException] = []

    def run(k: int, is_running: LockType) -> None:
        try:
            set_up_worker()
            results[k] = tasks[k]()
        except BaseException as error:
            errors.append(error)
        finally:
            is_running.release()

    running: list[LockType] = []
    try:
        for k in range(1, len(tasks)):
            is_running = allocate_lock()
            is_running.acquire()
            start_new_thread(run, (k, is_running))
            running.append(is_running)
        results[0] = tasks[0]()
    finally:
        for is_running in running:
            is_running.acquire()
    if errors:
        raise errors[0]
    return [results[k] for k in range(len(tasks))]
