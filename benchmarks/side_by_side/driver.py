"""Libraries as child processes that work in turn, and the interleaved measurement.

Thread pools disturb each other: OpenBLAS calls on two threads that were made earlier in a process slow down what comes
after them, and the idle workers of OpenMP and XLA spin. So each library runs in a process of its own, which sleeps
while another one works.
"""

import importlib
import os
import pickle
import subprocess
import sys
import time
import traceback
from contextlib import contextmanager
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).parent.parent
REST = 0.1
"""Seconds before every timed run, in which the workers of the library before fall asleep."""


class Peer:
    """A library in a process of its own.

    Parameters
    ----------
    environment : dict or None
        Variables of the child process, None to take one away.
    module : str
        Module of this package, with functions that return a callable to time.
    threads : int or None
        Threads that it may use; None leaves the library as it is.
    python : str, default=sys.executable
        Interpreter of the child process.
    kernels : {"numpy", "numba"}, default="numpy"
        Which of skrnn's kernels compute, if it is skrnn.
    """

    def __init__(self, environment, module, threads=None, python=sys.executable, kernels="numpy"):
        environment = {"SKRNN_KERNELS": kernels, **(environment or {})}
        command = f"from side_by_side.driver import serve; serve({module!r}, {threads})"
        variables = {name: value for name, value in {**os.environ, **environment}.items() if value is not None}
        self._process = subprocess.Popen(
            [python, "-c", command], cwd=FOLDER, env=variables, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def call(self, function, *args, **kwargs):
        """What a function of the module returns."""
        return self.ask("call", function, args, kwargs)

    def prepare(self, function, *args, **kwargs):
        """Make a `Timer` of what a function of the module returns."""
        return Timer(self, *self.ask("prepare", function, args, kwargs))

    def close(self):
        self._process.stdin.close()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.terminate()

    def ask(self, *message):
        """Send a message, and wait for the answer."""
        pickle.dump(message, self._process.stdin)
        self._process.stdin.flush()
        is_good, answer = pickle.load(self._process.stdout)
        if not is_good:
            raise RuntimeError(f"In the child process:\n{answer}")
        return answer


class Timer:
    """One prepared run of a peer.

    Attributes
    ----------
    first : float
        Seconds of the first run, compilation included where there is one.
    note : str
        What the peer chose.
    repeats : int
        Runs in a row, whose mean counts; 1 unless it is set.
    """

    def __init__(self, peer, handle, first, note):
        self._peer, self._handle, self.first, self.note = peer, handle, first, note
        self.repeats = 1

    def __call__(self):
        time.sleep(REST)
        return self._peer.ask("run", self._handle, self.repeats)

    def close(self):
        """Let the peer forget the run and its data."""
        self._peer.ask("forget", self._handle)


@contextmanager
def peers(environment=None, **modules):
    """Start peers, given as ``name=(module, threads)``, perhaps with their Python; yields them by name."""
    started = {name: Peer(environment, *spec) for name, spec in modules.items()}
    try:
        yield started
    finally:
        for peer in started.values():
            peer.close()


def interleave(timers, rounds):
    """Seconds of every timer, by name: lists of `rounds`, taken in turn, in an order that rotates.

    A way of a library, ``library_way``, that took more than three times as long as its best one is timed once only.
    """
    going, seconds = list(timers), {name: [] for name in timers}
    for k in range(rounds):
        shift = k % len(going)
        for name in going[shift:] + going[:shift]:
            seconds[name].append(timers[name]())
        if k == 0:
            best = {}
            for name, (first,) in seconds.items():
                best[_library(name)] = min(first, best.get(_library(name), np.inf))
            going = [n for n in going if n == "skrnn" or seconds[n][0] <= 3 * best[_library(n)]]
    return seconds


def _library(name):
    return name.split("_")[0]


def serve(module, threads):
    """Answer on the standard streams until the other side hangs up."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no answer
    if threads == 1 and module.startswith("jax"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})  # XLA has no other way to say one thread
    module = importlib.import_module(f"side_by_side.{module}")
    if threads and hasattr(module, "set_threads"):
        module.set_threads(threads)
    prepared = {}
    while True:
        try:
            kind, *message = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        try:
            answer = True, _answer(module, prepared, kind, *message)
        except Exception:
            answer = False, traceback.format_exc()
        pickle.dump(answer, answers)
        answers.flush()


def _answer(module, prepared, kind, what, *rest):
    """Do what a message asks for; `prepared` has the runs by their handles."""
    if kind == "forget":
        del prepared[what]
        return None
    if kind == "run":
        (repeats,) = rest
        return sum(_seconds(prepared[what]) for _ in range(repeats)) / repeats
    args, kwargs = rest
    result = getattr(module, what)(*args, **kwargs)
    if kind == "call":
        return result
    first = _seconds(result)
    handle = max(prepared, default=0) + 1
    prepared[handle] = result
    return handle, getattr(result, "first", first), getattr(result, "note", "")


def best_of(candidates, repeats=2):
    """The callable that is quickest after one run to warm up, of pairs (note, callable).

    Its attribute `note` says which, and `first` how many seconds its first run took.
    """
    fastest, best = np.inf, None
    for note, run in candidates:
        first = _seconds(run)
        seconds = min(_seconds(run) for _ in range(repeats))
        if seconds < fastest:
            fastest, best = seconds, run
            run.note, run.first = note, first
    return best


def _seconds(run):
    start = time.perf_counter()
    run()
    return time.perf_counter() - start
