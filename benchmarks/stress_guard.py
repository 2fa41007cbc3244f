"""Interrupts and forks at random moments: BLAS has its limits back after every interrupt, and no child hangs.

``python benchmarks/stress_guard.py`` takes some minutes and ends with an error if anything went wrong. Signals are real
ones. A child is forked while other threads fit, predict and generate; it then does the same, and is given a minute.
"""

import argparse
import os
import signal
import sys
import threading
import time
import warnings
from collections import Counter
from contextlib import contextmanager

import numpy as np
from threadpoolctl import threadpool_info, threadpool_limits

from skrnn import RNNNextTokenModel, RNNSequenceClassifier

SECONDS_OF_A_CHILD = 60


def jobs(n_jobs=2):
    """What is interrupted, and what children do: names and callables, models fitted."""
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((60, 12, 3)), np.arange(60) % 3
    sessions = [["login", "read", "logout"], ["login", "write", "logout"]] * 10
    classifier = RNNSequenceClassifier(16, max_iter=3, n_jobs=n_jobs, random_state=0).fit(X, y)
    tokens = RNNNextTokenModel(hidden_size=16, max_iter=3, n_jobs=n_jobs, random_state=0).fit(sessions)
    many = np.tile(X, (120, 1, 1))  # enough for threads
    stream = tokens.start()
    return {
        "fit": lambda: RNNSequenceClassifier(16, max_iter=3, n_jobs=n_jobs, random_state=0).fit(X, y),
        "fit, validated": lambda: RNNSequenceClassifier(16, max_iter=3, early_stopping=True, random_state=0).fit(X, y),
        "fit of tokens": lambda: RNNNextTokenModel(hidden_size=16, max_iter=3, random_state=0).fit(sessions),
        "predict": lambda: classifier.predict(X[:4]),
        "predict on threads": lambda: classifier.predict(many),
        "score of tokens": lambda: tokens.score(sessions),
        "generate": lambda: tokens.generate(n_sequences=3, max_new_tokens=20, random_state=0),
        "stream": lambda: [stream.update({"a": "login", "b": "read"}) for _ in range(20)],
    }


def settings():
    """What must be the same after an interrupt as before."""
    limits = [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]
    return limits, np.geterr()


@contextmanager
def load(works):
    """Threads that work, one for each of `works`, for as long as the block takes."""
    is_over = threading.Event()

    def repeat(work):
        while not is_over.is_set():
            work()

    threads = [threading.Thread(target=repeat, args=(work,), daemon=True) for work in works]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        is_over.set()
        for thread in threads:
            thread.join()


def interrupt(work, delay):
    """Call `work` while a signal comes after `delay` seconds; the KeyboardInterrupt that came out, or None.

    The exception keeps its traceback and so all frames, as it does in an interactive session.
    """
    is_working = True

    def handle(*_):
        if is_working:
            raise KeyboardInterrupt

    previous = signal.signal(signal.SIGALRM, handle)
    try:
        signal.setitimer(signal.ITIMER_REAL, delay)
        work()
        is_working = False
    except KeyboardInterrupt as error:
        return error
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
    return None


def interrupted(works, n, rng, out=sys.stdout):
    """Interrupt each of `works` in turn, n times altogether; the number of times that settings stayed changed."""
    n_wrong, came = 0, Counter()
    before = settings()
    for i in range(n):
        name, work = list(works.items())[i % len(works)]
        start = time.perf_counter()
        work()
        error = interrupt(work, max(rng.uniform(0, time.perf_counter() - start), 1e-6))
        came[name] += error is not None
        if settings() != before:
            n_wrong += 1
            print(f"{name}: {settings()} instead of {before}", file=out)
    print(f"{n} interrupts, KeyboardInterrupt came out of {dict(came)}; settings left changed: {n_wrong}", file=out)
    return n_wrong


def forked(works, n, rng, out=sys.stdout):
    """Fork n children while other threads do what is in `works`; the number of children that hung or failed."""
    outcomes = Counter()
    before = settings()[0]
    with load([works["fit"], works["predict"], works["predict on threads"], works["generate"]]):
        for _ in range(n):
            time.sleep(rng.uniform(0, 0.02))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # Python 3.12 warns of forks beside threads
                child = os.fork()
            if not child:
                code = 1
                try:
                    if settings()[0] == before:
                        for work in works.values():
                            work()
                        code = 0 if settings()[0] == before else 3
                    else:
                        code = 2
                finally:
                    os._exit(code)
            outcomes[_end_of(child)] += 1
    is_changed = settings()[0] != before
    print(f"{n} forks: {dict(outcomes)}; limits of the parent left changed: {is_changed}", file=out)
    return n - outcomes["well"] + is_changed


def _end_of(child):
    """How a child ended, or that it hangs and had to be killed."""
    deadline = time.monotonic() + SECONDS_OF_A_CHILD
    while time.monotonic() < deadline:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            code = os.waitstatus_to_exitcode(status)
            return {0: "well", 2: "began with other limits", 3: "ended with other limits"}.get(code, f"failed ({code})")
        time.sleep(0.001)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return "hung"


def main():
    """Run all; exit with the number of faults, if there are any."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--interrupts", type=int, default=500)
    parser.add_argument("--forks", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    rng = np.random.default_rng(options.seed)
    works = jobs()
    n_faults = 0
    with threadpool_limits(2, user_api="blas"):  # so that there is something to restore on a single core, too
        n_faults += interrupted(works, options.interrupts, rng)
        before = settings()
        with load([works["predict"], works["fit"]]):
            for i in range(options.interrupts // 5):
                interrupt(list(works.values())[i % len(works)], rng.uniform(1e-6, 0.02))
        print(f"{options.interrupts // 5} interrupts beside threads; settings left changed: {settings() != before}")
        n_faults += settings() != before
        n_faults += forked(works, options.forks, rng)
    sys.exit(f"{n_faults} faults" if n_faults else 0)


if __name__ == "__main__":
    main()
