"""The guard: BLAS at one thread inside, its limits back after every end, interrupts and forks among them."""

import gc
import itertools
import os
import runpy
import signal
import sys
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from joblib import cpu_count
from threadpoolctl import threadpool_info, threadpool_limits

from skrnn import RNNNextTokenModel, RNNSequenceClassifier
from skrnn._parallel import blas
from skrnn._parallel.blas import allowed_threads, guarded

forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")


@pytest.fixture(autouse=True)
def three_threads():
    """More than one, on a single core, too."""
    with threadpool_limits(3, user_api="blas"):
        yield
        assert blas_threads() == {3}


def blas_threads():
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}


def test_one_thread_inside_and_the_limits_back_behind():
    assert guarded(blas_threads) == {1}
    assert blas_threads() == {3}
    assert guarded(guarded, blas_threads) == {1}
    assert blas_threads() == {3}


def test_a_nested_call_ends_nothing():
    assert guarded(lambda: (guarded(blas_threads), blas_threads())) == ({1}, {1})


def test_an_error_is_the_callers():
    with pytest.raises(ZeroDivisionError):
        guarded(lambda: 1 / 0)
    assert blas_threads() == {3}


def test_no_floating_point_warnings_inside_and_the_settings_back_behind():
    with np.errstate(over="raise"):
        before = np.geterr()
        assert set(guarded(np.geterr).values()) == {"ignore"}
        assert np.geterr() == before


def test_limits_are_back_whatever_the_order_of_leaving():
    """Since threadpoolctl 3.8 the second thread could not change what the first has set, while that one lives."""
    first_entered, second_entered, first_left, all_done = (threading.Event() for _ in range(4))
    seen = []

    def first():
        guarded(lambda: (first_entered.set(), second_entered.wait(10)))
        first_left.set()
        all_done.wait(10)

    def second():
        first_entered.wait(10)
        guarded(lambda: (second_entered.set(), first_left.wait(10), seen.extend(blas_threads())))

    workers = [threading.Thread(target=f) for f in (first, second)]
    for worker in workers:
        worker.start()
    workers[1].join()
    assert seen == [1]
    assert blas_threads() == {3}
    all_done.set()
    workers[0].join()


def test_nobody_waits_for_another_ones_call():
    is_inside, may_leave = threading.Event(), threading.Event()
    with ThreadPoolExecutor(1) as pool:
        pool.submit(guarded, lambda: (is_inside.set(), may_leave.wait(10)))
        is_inside.wait(10)
        assert guarded(blas_threads) == {1}
        assert not may_leave.is_set()
        assert blas_threads() == {1}  # the other one's
        may_leave.set()


def test_a_limit_of_the_user_inside_is_left_to_them():
    def work():
        with threadpool_limits(2, user_api="blas"):
            assert blas_threads() == {2}
        assert blas_threads() == {1}

    guarded(work)


class LibraryOfThreads(threading.local):
    """Keeps a limit for each thread, as MKL does."""

    internal_api = "mkl"
    num_threads = 4

    def set_num_threads(self, n_threads):
        self.num_threads = n_threads


def test_libraries_that_keep_a_limit_for_each_thread(monkeypatch):
    library = LibraryOfThreads()
    monkeypatch.setattr(blas, "_blas", lambda: blas._Libraries([], [library]))
    barrier = threading.Barrier(2)

    def in_a_thread():
        inside = guarded(lambda: (barrier.wait(10), library.num_threads)[1])
        return inside, library.num_threads

    with ThreadPoolExecutor(2) as pool:
        results = [pool.submit(in_a_thread) for _ in range(2)]
        assert [result.result() for result in results] == [(1, 4), (1, 4)]
    assert allowed_threads(None) == 4
    with ThreadPoolExecutor(1, initializer=blas.set_up_worker) as pool:
        assert pool.submit(lambda: library.num_threads).result() == 1
    assert library.num_threads == 4


# Interrupts


def call_interrupted(function, moment):
    """Raise KeyboardInterrupt at the moment-th place where Python would look for one; whether the call came so far."""
    places = itertools.count()

    def profile(frame, event, argument):
        if event in ("call", "c_return") and next(places) == moment:
            sys.setprofile(None)
            raise KeyboardInterrupt

    sys.setprofile(profile)
    try:
        function()
    except KeyboardInterrupt as error:
        return error  # whose traceback keeps all frames, as an interactive session would
    finally:
        sys.setprofile(None)
    return None


def test_an_interrupt_at_any_moment_leaves_nothing_behind():
    before = np.geterr()
    for moment in itertools.count():
        error = call_interrupted(lambda: guarded(lambda: guarded(int)), moment)
        assert blas_threads() == {3}, moment
        assert np.geterr() == before, moment
        with ThreadPoolExecutor(1) as pool:  # the lock is free for other threads
            assert pool.submit(guarded, blas_threads).result(timeout=10) == {1}, moment
        if error is None:
            break
    assert moment > 50


def test_interrupts_of_both_attempts_are_made_good_by_the_next_call(monkeypatch):
    def interrupted(hold):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(blas._guard, "leave", interrupted)
        with np.errstate(), pytest.raises(KeyboardInterrupt) as error:
            guarded(int)
    assert blas_threads() == {1}
    del error
    gc.collect()
    guarded(int)
    assert blas_threads() == {3}


@pytest.fixture(scope="module")
def stress():
    return runpy.run_path(str(Path(__file__).parents[2] / "benchmarks" / "stress_guard.py"))


@pytest.fixture(scope="module")
def works(stress):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return stress["jobs"]()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timers on this system")
def test_interrupts_at_random_moments(stress, works, rng):
    """In full: ``python benchmarks/stress_guard.py``."""
    assert stress["interrupted"](works, 40, rng) == 0


# Forks


@forks
@pytest.mark.filterwarnings("ignore")
def test_forks_beside_threads_that_work(stress, works, rng):
    assert stress["forked"](works, 4, rng) == 0


@forks
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("forker", ["beside", "inside"])
def test_a_child_has_the_limits_of_before(stress, forker):
    """Also where it is forked inside the guard, which it may never leave."""
    is_inside, may_leave = threading.Event(), threading.Event()

    def fork():
        child = os.fork()
        if not child:
            os._exit(0 if blas_threads() == {3} and guarded(blas_threads) == {1} and blas_threads() == {3} else 1)
        return stress["_end_of"](child)

    if forker == "inside":
        assert guarded(fork) == "well"
        return
    with ThreadPoolExecutor(1) as pool:
        pool.submit(guarded, lambda: (is_inside.set(), may_leave.wait(60)))
        is_inside.wait(10)
        try:
            with blas._guard.lock:  # as if a third thread had it
                assert fork() == "well"
        finally:
            may_leave.set()


@forks
@pytest.mark.filterwarnings("ignore")
def test_a_child_goes_on_inside_and_leaves():
    child = guarded(os.fork)
    if not child:
        os._exit(0 if blas_threads() == {3} else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


# Numbers of threads


def test_threads_follow_what_blas_may_use():
    assert allowed_threads(None) == 3
    assert guarded(allowed_threads, None) == 1
    with threadpool_limits(1):
        assert allowed_threads(None) == 1


@pytest.mark.parametrize("dtype", [int, np.int8, np.int64])
@pytest.mark.parametrize(("n_jobs", "n_threads"), [(1, 1), (2, 2), (100, 100), (-1, 200), (-2, 199), (-100, 101)])
def test_a_number_is_meant_as_joblib_means_it(dtype, n_jobs, n_threads, monkeypatch):
    for module in ("skrnn._parallel.blas", "joblib._parallel_backends"):
        monkeypatch.setattr(f"{module}.cpu_count", lambda: 200)
    assert allowed_threads(dtype(n_jobs)) == n_threads


@pytest.mark.parametrize("n_jobs", [10**9, np.int64(10**9), 10**30])
def test_no_more_threads_than_cpus(n_jobs):
    assert allowed_threads(n_jobs) == cpu_count()
    assert allowed_threads(-n_jobs) == 1


@pytest.mark.parametrize("n_jobs", [10**9, -(10**9)])
def test_a_billion_jobs_come_back(n_jobs, rng):
    X, y = rng.standard_normal((6, 4, 2)), [0, 1] * 3
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = RNNSequenceClassifier(4, max_iter=1, n_jobs=n_jobs).fit(X, y)
        assert model.predict(X).shape == (6,)
        tokens = RNNNextTokenModel(hidden_size=4, max_iter=1, n_jobs=n_jobs).fit(["ab", "ba"])
        assert np.isfinite(tokens.score(["ab"]))


@pytest.mark.parametrize(
    ("model", "data"),
    [(RNNSequenceClassifier, ([[[0.0]], [[1.0]]], [0, 1])), (RNNNextTokenModel, (["ab", "ba"],))],
    ids=["classifier", "tokens"],
)
def test_no_jobs_at_all(model, data):
    with pytest.raises(
        ValueError, match=r"n_jobs is 0, but it must be a number of threads, -1 for one on each CPU, or"
    ):
        model(n_jobs=0).fit(*data)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # interrupts of generators' ends
@pytest.mark.filterwarnings("ignore:Training was interrupted")
@pytest.mark.parametrize("name", ["fit", "predict", "score"])
def test_an_interrupt_of_a_call_leaves_the_floating_point_settings(name):
    """NumPy and scikit-learn change them, too, in context managers: to seed a generator, to check a sum."""
    X, y = [np.ones((2, 1)), -np.ones((1, 1))] * 2, [0, 1] * 2
    model = RNNSequenceClassifier(hidden_size=1, max_iter=1, learning_rate="cosine", random_state=0).fit(X, y)
    work = {"fit": lambda: model.fit(X, y), "predict": lambda: model.predict(X), "score": lambda: model.score(X, y)}
    before = np.geterr()
    for moment in range(0, 4500, 3):
        call_interrupted(work[name], moment)
        assert np.geterr() == before, moment
