"""The sections of the benchmark: what is timed against what. Each gives rows for the tables and for the JSON file."""

import os
import sys
from importlib.util import find_spec
from pathlib import Path
from statistics import median

from . import processes, work
from .driver import interleave, peers

N_THREADS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
WITHOUT_PIN = {"OPENBLAS_CORETYPE": None, "OPENBLAS_L2_SIZE": None}


def libraries(options, kind="peer"):
    """Specifications for `peers`: skrnn with both kernels, perhaps on a second Python; PyTorch and JAX with one thread,
    and with all."""
    ours = {"skrnn": (f"skrnn_{kind}", None), "skrnn_fast": (f"skrnn_{kind}", None, sys.executable, "numba")}
    if options.free_threaded:
        ours["skrnn_free"] = (f"skrnn_{kind}", None, options.free_threaded)
    others = {f"{name}_{n}": (f"{name}_{kind}", n) for name in ("torch", "jax") for n in sorted({1, N_THREADS})}
    return ours | others


def timed(timers, rounds, per=1, **about):
    """Measure, and say so: a row with the seconds of every timer, each divided by `per`. Closes the timers."""
    seconds = interleave(timers, rounds)
    for timer in timers.values():
        timer.close()
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


def enough_epochs(options, timer, factor=1, n_most=200):
    """How many epochs a run must have to be long enough, given a timer of one, which is not needed any more."""
    n_epochs = max(1, min(n_most, round(factor * options.seconds / timer())))
    timer.close()
    return n_epochs


def training(options, environment=None):
    """Whole fits on sequences of equal lengths; the floor beside them."""
    with peers(environment, **libraries(options), floor=("floor", None)) as running:
        for cell in options.cells:
            for point in _chosen(work.FIXED, options):
                one = running["skrnn"].prepare("training", point, cell, work.N_BATCHES, 1)
                what = point, cell, work.N_BATCHES, enough_epochs(options, one)
                timers = _fits(running, what)
                for n in sorted({1, min(N_THREADS, point.B)}):
                    timers[f"floor_{n}"] = running["floor"].prepare("training", *what, threads=n)
                steps = what[2] * what[3]
                yield timed(timers, options.rounds, steps, cell=cell, point=point, steps=steps)


def ragged(options, environment=None):
    """Whole fits on sequences of unequal lengths, with the same random batches for all; and torch with batches of
    like lengths."""
    n_batches = 2 * work.N_BATCHES
    with peers(environment, **libraries(options)) as running:
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
                yield timed(timers, options.rounds, steps, cell=cell, point=point, steps=steps)


def _fits(running, what):
    """Timers of a training by skrnn, as a user would have it and on one thread, and by the other libraries."""
    timers = {"skrnn": running["skrnn"].prepare("training", *what)}
    for name in ("skrnn", "skrnn_fast"):
        if name in running:
            timers[f"{name}_1"] = running[name].prepare("training", *what, n_jobs=1)
    for name, peer in running.items():
        if name.startswith(("skrnn_f", "torch", "jax")):
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


def predict(options):
    """Probabilities of many sequences, and of one, whose kernel is timed apart."""
    with peers(**libraries(options)) as running:
        for cell in options.cells:
            for point in (*_chosen(work.FIXED + work.RAGGED, options), work.ONE_STEP):
                for n in (options.sequences, 1):
                    if n > 1 and point.B == 1:
                        continue
                    timers = {name: peer.prepare("predicting", point, cell, n) for name, peer in running.items()}
                    if n == 1:
                        timers["kernel"] = running["skrnn"].prepare("kernel", point, cell)
                        for timer in timers.values():
                            timer.repeats = max(1, int(options.seconds / 5 / timer()))
                    yield timed(timers, options.rounds, cell=cell, point=point, n=n)


def tokens(options):
    """The token model on a text of five million characters: seconds a character."""
    n_windows, n_texts = (5, 30) if options.quick else (20, 100)
    tasks = {
        "training": ((n_windows,), n_windows * work.WINDOW * work.COLUMNS),
        "scoring": ((n_texts, 2000), n_texts * 2000),
        "writing, 1 text": ((1, 200), 200),
        "writing, 100 texts": ((100, 200), 100 * 200),
    }
    with peers(**libraries(options, "tokens")) as running:
        for cell in options.cells:
            for H in (128, 256):
                for task, (sizes, n_characters) in tasks.items():
                    function = task.split(",")[0]
                    timers = {name: peer.prepare(function, cell, H, *sizes) for name, peer in running.items()}
                    yield timed(timers, options.rounds, n_characters, task=task, cell=cell, H=H)


def process(options):
    """Import, cold start, memory and size."""
    results = {}

    def timer(name, script, key):
        def seconds():
            found = processes.run(script)
            results.setdefault(name, []).append(found)
            return found[key]

        return seconds

    scripts = {f"import {name}": processes.IMPORT.format(module=name) for name in ("skrnn", "torch")}
    timers = {name: timer(name, script, "seconds") for name, script in scripts.items()}
    timers |= {name: timer(name, script, "wall") for name, script in processes.COLD_START.items()}
    for run in timers.values():
        run()  # files come into the cache, bytecode is written
    row = {"seconds": interleave(timers, max(5, options.rounds))}
    row["peak"] = {
        name: median(processes.peak_megabytes(found) for found in results[name]) for name in processes.COLD_START
    }
    row["size"] = processes.installed_bytes(Path(find_spec("skrnn").origin).parent) / 2**20
    yield row


def busy(options):
    """Fits while as many processes as there are cores keep these busy, and a search on two processes."""
    left_out = ("skrnn_f", "jax")
    with peers(**{name: spec for name, spec in libraries(options).items() if not name.startswith(left_out)}) as running:
        for cell in options.cells:
            one = running["skrnn"].prepare("training", work.SEARCH, cell, work.N_BATCHES, 1)
            what = work.SEARCH, cell, work.N_BATCHES, enough_epochs(options, one, 2)
            timers = _fits(running, what)
            seconds = {f"{name} {state}": [] for name in timers for state in ("alone", "busy")}
            for _ in range(options.rounds):
                for state in ("alone", "busy"):
                    with processes.spinning(N_THREADS if state == "busy" else 0):
                        for name, timer in timers.items():
                            seconds[f"{name} {state}"].append(timer())
            print(f"busy, {cell}", {name: f"{median(values):.3g} s" for name, values in seconds.items()}, flush=True)
            yield {"cell": cell, "point": work.SEARCH, "seconds": seconds}
    with peers(skrnn=("skrnn_peer", None)) as running:
        seconds_of_fit = 3 if options.quick else 22
        _, fits = running["skrnn"].call("searching", 2, 1, 1)
        one_epoch = sum(fits) / len(fits) / 2
        what = max(1, round(seconds_of_fit / one_epoch))
        _, fits = running["skrnn"].call("searching", what, 1, 1)
        together, _ = running["skrnn"].call("searching", what, 2, None)
        print(f"search: {together:.3g} s on two processes, fits {[round(s, 2) for s in fits]} s", flush=True)
        yield {"search": together, "fits": fits}


def memory(options):
    """Training on a sequence of 100,000 steps, or 20,000 with --quick, with activations recomputed and without."""
    n_steps = 20_000 if options.quick else 100_000
    for cell in options.cells:
        found = {True: [], False: []}
        for _ in range(options.rounds):
            for recompute, runs in found.items():
                script = processes.LONG_SEQUENCE.format(n_steps=n_steps, cell=cell, recompute=recompute)
                runs.append(processes.run(script))
        for recompute, runs in found.items():
            row = {"cell": cell, "recompute": recompute, "n_steps": n_steps}
            row |= {"seconds": median(run["seconds"] for run in runs), "peak": max(map(processes.peak_megabytes, runs))}
            print(f"memory, {row}", flush=True)
            yield row


def _chosen(points, options):
    return [p for k, p in enumerate(points) if options.points is None or k in options.points]
