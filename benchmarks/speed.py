"""Compare the speed of skrnn with that of PyTorch and JAX on a CPU, in one run on the same work.

Measured: whole fits on a grid of cells and sizes, on sequences of equal and of unequal lengths; prediction; the token
model; import, cold start, memory; a busy machine; long sequences. Every library runs in a process of its own; they are
timed in turn, in an order that rotates, and medians of the rounds are compared. float32.

    python benchmarks/speed.py                                    (hours; an idle machine)
    python benchmarks/speed.py --quick --only training --cells lstm --points 0 2

Needs `pip install -e '.[bench]'`. Writes benchmarks/results/speed.md and speed.json. Sections that did not run stay
there, if they were measured on this machine with these versions.
"""

import argparse
import json
import os
import platform
import sys
from importlib.metadata import version
from pathlib import Path

from side_by_side import measure, tables
from side_by_side.driver import peers

SECTIONS = {
    "training": ("Training, sequences of equal lengths", "Milliseconds a training step, of a whole fit."),
    "ragged": ("Training, sequences of unequal lengths", "Milliseconds a training step, of a whole fit."),
    "predict": ("Prediction", ""),
    "tokens": ("Tokens", "Thousands of characters a second, on 5 MB of the standard library's sources."),
    "process": ("Whole processes", "Wall time and peak memory."),
    "busy": ("A busy machine", "A fit while every core has another process to run."),
    "memory": ("Long sequences", "Training on one long sequence, `hidden_size=128`, `batch_size=1`."),
}
IN_BOTH_ENVIRONMENTS = ("training", "ragged")
WITH_FREE_THREADS = ("training", "ragged", "predict", "tokens")


def environments():
    """Environments to measure in: as it is, and without what holds BLAS below the CPU, if something does."""
    pin = {name: os.environ[name] for name in measure.WITHOUT_PIN if name in os.environ}
    found = {"as it is": None}
    if pin:
        found["without the pin"] = measure.WITHOUT_PIN
    return pin, found


def machine(environment):
    """Processor, versions, BLAS."""
    with peers(environment, skrnn=("skrnn_peer", None)) as running:
        blas = running["skrnn"].call("blas")
    names = ("skrnn", "numba", "numpy", "scipy", "scikit-learn", "torch", "jax", "jaxlib")
    return {
        "cpu": _cpu(),
        "cores": measure.N_THREADS,
        "blas": blas,
        "versions": {"Python": platform.python_version()} | {name: version(name) for name in names},
    }


def _cpu():
    info = Path("/proc/cpuinfo")
    if not info.exists():
        return platform.processor()
    fields = dict(line.split(":", 1) for line in info.read_text().splitlines() if ":" in line)
    fields = {key.strip(): value.strip() for key, value in fields.items()}
    widest = max((w for w in ("avx", "avx2", "avx512f") if w in fields.get("flags", "").split()), key=len, default="")
    return f"{fields.get('model name', platform.processor())}, {widest}"


def report(results):
    """Lines of the Markdown file."""
    about = results["machine"]
    spelt = ", ".join(f"{name} {number}" for name, number in about["versions"].items())
    pin = ", ".join(f"`{name}={value}`" for name, value in results["pin"].items())
    bars, body = [], []
    for section in (name for name in SECTIONS if name in results["sections"]):
        run = results["sections"][section]
        title, what = SECTIONS[section]
        made = f"`{run['command']}`: medians of {run['rounds']} rounds; load {run['load']:.1f} at the start."
        body += ["", f"## {title}", "", " ".join(part for part in (what, made) if part)]
        for name, rows in run["rows"].items():
            is_pinned = bool(results["pin"]) and name == "as it is"
            if len(run["rows"]) > 1:
                body += ["", f"Environment: {name}."]
            body += ["", *getattr(tables, f"{section}_table")(rows, is_pinned)]
            if section in WITH_FREE_THREADS:
                body += tables.compiled_lines(rows) + tables.free_threaded_lines(rows)
            for bar in (
                *getattr(tables, f"{section}_bars")(rows, is_pinned),
                *tables.compiled_bars(section, rows, is_pinned),
            ):
                bars.append(bar._replace(text=bar.text + (f" ({name})" if len(run["rows"]) > 1 else "")))
    return [
        "# Speed",
        "",
        f"{spelt}. {about['cpu']}, {about['cores']} cores. NumPy's BLAS: {about['blas']}.",
        f"The environment pins BLAS: {pin}."
        if pin
        else "The environment does not pin OPENBLAS_CORETYPE: as it is, it is without a pin.",
        "Ratios are the other library's time divided by skrnn's: above 1 skrnn is quicker. Spread: interquartile range "
        "over the median, of skrnn, torch and JAX. With the same weights all libraries find the same loss and gradient "
        f"norm of a batch, to {results['agreement']:.0e}.",
        "",
        "## Bars",
        "",
        "| what | needed | measured, the worst | met |",
        "|---|---|---|---|",
        *(bar.line() for bar in bars),
        *body,
    ]


def earlier_sections(path, results):
    """Sections of an earlier run on the same machine, with the same versions, in the same environment."""
    if not path.exists():
        return {}
    earlier = json.loads(path.read_text(encoding="utf-8"))
    is_like = all(earlier[key] == results[key] for key in ("pin", "machine"))
    return earlier["sections"] if is_like else {}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=list(SECTIONS), help="sections to run")
    parser.add_argument("--quick", action="store_true", help="few and short rounds")
    parser.add_argument("--rounds", type=int, help="how often everything is timed (7; quick: 3)")
    parser.add_argument("--seconds", type=float, help="of one fit of skrnn's (1; quick: 0.3)")
    parser.add_argument("--cells", nargs="+", choices=("tanh", "gru", "lstm"), default=["tanh", "gru", "lstm"])
    parser.add_argument("--points", nargs="+", type=int, help="numbers of the points of each grid, from 0")
    parser.add_argument("--free-threaded", help="a second Python, free-threaded and with skrnn, that runs skrnn beside")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results", help="folder of the results")
    options = parser.parse_args()
    rounds, seconds, options.sequences = (3, 0.3, 2000) if options.quick else (7, 1.0, 10_000)
    options.rounds, options.seconds = options.rounds or rounds, options.seconds or seconds
    pin, found = environments()
    results = {"pin": pin, "machine": machine(None), "agreement": measure.agreement(options)}
    options.out.mkdir(exist_ok=True)
    as_markdown, as_json = options.out / "speed.md", options.out / "speed.json"
    results["sections"] = earlier_sections(as_json, results)
    for section in options.only:
        command = " ".join(["python benchmarks/speed.py", *sys.argv[1:]])
        run = {"command": command, "rounds": options.rounds, "load": os.getloadavg()[0], "rows": {}}
        for name, environment in found.items() if section in IN_BOTH_ENVIRONMENTS else [("as it is", None)]:
            where = [environment] if section in IN_BOTH_ENVIRONMENTS else []
            rows = run["rows"][name] = []
            for row in getattr(measure, section)(options, *where):
                rows.append(row)
                results["sections"][section] = run
                as_markdown.write_text("\n".join(report(results)) + "\n", encoding="utf-8")
                as_json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
