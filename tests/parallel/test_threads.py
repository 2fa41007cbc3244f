"""Tasks run at the same time, and none is left behind."""

import threading

import numpy as np
import pytest

from skrnn._parallel.threads import run_together


def test_results_come_in_the_order_of_the_tasks():
    assert run_together([lambda k=k: k**2 for k in range(5)]) == [0, 1, 4, 9, 16]
    assert run_together([lambda: 1]) == [1]


def test_tasks_run_at_the_same_time_the_first_of_them_here():
    barrier = threading.Barrier(3)

    def task():
        barrier.wait(10)
        return threading.get_ident()

    threads = run_together([task] * 3)

    assert threads[0] == threading.get_ident()
    assert len(set(threads)) == 3


def test_no_floating_point_warnings_on_other_threads():
    _, inside = run_together([int, np.geterr])
    assert set(inside.values()) == {"ignore"}


@pytest.mark.parametrize("failing", [0, 1, 2])
def test_what_a_task_raises_comes_out_after_all_have_ended(failing):
    ended = []

    def task(k):
        if k == failing:
            raise ZeroDivisionError(k)
        ended.append(k)

    with pytest.raises(ZeroDivisionError, match=str(failing)):
        run_together([lambda k=k: task(k) for k in range(3)])
    assert sorted(ended) == [k for k in range(3) if k != failing]


def test_an_interrupt_waits_for_the_other_tasks():
    may_end, ended = threading.Event(), []

    def interrupted():
        may_end.set()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_together([interrupted, lambda: ended.append(may_end.wait(10))])
    assert ended == [True]
