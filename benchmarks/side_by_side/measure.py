"""The sections of the benchmark: what is timed against what. Each gives rows for the tables and for the JSON file."""

import os

from . import work
from .driver import interleave, peers

N_THREADS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
WITHOUT_PIN = {"OPENBLAS_CORETYPE": None, "OPENBLAS_L2_SIZE": None}
N_BATCHES = 10


def libraries(*names):
    """Specifications for `peers`: every library but skrnn twice, with one thread and with all."""
    specs = {"skrnn": ("skrnn_peer", None)}
    for name in names:
        for n in sorted({1, N_THREADS}):
            specs[f"{name}_{n}"] = (f"{name}_peer", n)
    return specs


def timed(timers, rounds, per=1, **about):
    """Measure, and say so: a row with the seconds of every timer, each divided by `per`."""
    seconds = interleave(timers, rounds)
    row = {
        **about,
        "seconds": {name: [s / per for s in values] for name, values in seconds.items()},
        "first": {name: timer.first for name, timer in timers.items()},
        "notes": {name: timer.note for name, timer in timers.items() if timer.note},
    }
    best = {name: min(values) * 1e3 for name, values in row["seconds"].items()}
    where = ", ".join(str(value) for value in about.values())
    print(f"{where}: " + "  ".join(f"{name} {ms:.3g} ms" for name, ms in best.items()), flush=True)
    return row


def enough_epochs(options, timer, n_most=200):
    """How many epochs a run must have, given a timer of one."""
    return max(1, min(n_most, round(options.seconds / timer())))


def training(options, environment=None):
    """Whole fits on sequences of equal lengths; the floor beside them."""
    rows = []
    with peers(environment, **libraries("torch", "jax"), floor=("floor", None)) as running:
        for cell in options.cells:
            for point in _chosen(work.FIXED, options):
                one = running["skrnn"].prepare("training", point, cell, N_BATCHES, 1)
                what = point, cell, N_BATCHES, enough_epochs(options, one)
                timers = _fits(running, what)
                for n in sorted({1, min(N_THREADS, point.B)}):
                    timers[f"floor_{n}"] = running["floor"].prepare("training", *what, threads=n)
                steps = what[2] * what[3]
                rows.append(timed(timers, options.rounds, steps, cell=cell, point=point, steps=steps))
    return rows


def ragged(options, environment=None):
    """Whole fits on sequences of unequal lengths, with the same random batches for all; and torch with batches of
    like lengths."""
    rows = []
    n_batches = 2 * N_BATCHES
    with peers(environment, **libraries("torch", "jax")) as running:
        for cell in options.cells:
            for point in _chosen(work.RAGGED, options):
                one = running["skrnn"].prepare("training", point, cell, n_batches, 1)
                what = point, cell, n_batches, enough_epochs(options, one)
                timers = _fits(running, what)
                for name in [name for name in timers if name.startswith("torch_")]:
                    del timers[name]
                    for way in ("padded", "packed"):
                        for is_bucketed in (False, True):
                            key = name.replace("torch", f"torch{'like' if is_bucketed else ''}_{way}")
                            timers[key] = running[name].prepare("training", *what, way=way, is_bucketed=is_bucketed)
                steps = what[2] * what[3]
                rows.append(timed(timers, options.rounds, steps, cell=cell, point=point, steps=steps))
    return rows


def _fits(running, what):
    """Timers of a training by skrnn, as a user would have it and on one thread, and by the other libraries."""
    timers = {"skrnn": running["skrnn"].prepare("training", *what)}
    timers["skrnn_1"] = running["skrnn"].prepare("training", *what, n_jobs=1)
    for name, peer in running.items():
        if name.startswith(("torch", "jax")):
            timers[name] = peer.prepare("training", *what)
    return timers


def agreement(options):
    """Largest relative difference of losses and gradient norms of one batch, all libraries, same weights."""
    worst = 0.0
    with peers(None, skrnn=("skrnn_peer", None), torch=("torch_peer", 1), jax=("jax_peer", 1)) as running:
        for cell in options.cells:
            for point in (work.SMALL, work.SMALL._replace(high=0)):
                ours = running["skrnn"].call("loss_gradient", point, cell)
                others = [running["jax"].call("loss_gradient", point, cell)]
                others += [running["torch"].call("loss_gradient", point, cell, way) for way in ("padded", "packed")]
                for theirs in others:
                    worst = max(worst, *(abs(a / b - 1) for a, b in zip(ours, theirs, strict=True)))
    if worst > 1e-4:
        raise SystemExit(f"The libraries do not do the same work: a loss or a gradient differs by {worst:.1e}.")
    return worst


def _chosen(points, options):
    return [p for k, p in enumerate(points) if options.points is None or k in options.points]
