"""Compare the speed of skrnn with that of PyTorch and JAX on a CPU, in one run on the same work.

Measured: whole fits on a grid of cells and sizes, on sequences of equal and of unequal lengths; prediction; the token
model; import, cold start, memory; a busy machine; long sequences. Every library runs in a process of its own; they are
timed in turn, in an order that rotates, and medians of the rounds are compared. float32.

    python benchmarks/speed.py                                    (hours; an idle machine)
    python benchmarks/speed.py --quick --only training --cells lstm --points 0 2

Needs `pip install -e '.[bench]'`. Writes benchmarks/results/speed.md and speed.json.
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
    "memory": ("Long sequences", "Training on sequences of 100,000 steps, `hidden_size=128`, `batch_size=1`."),
}
IN_BOTH_ENVIRONMENTS = ("training", "ragged")


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
    names = ("skrnn", "numpy", "scipy", "scikit-learn", "torch", "jax", "jaxlib")
    return {
        "cpu": _cpu(),
        "cores": measure.N_THREADS,
        "blas": blas,
        "versions": {"Python": platform.python_version()} | {name: version(name) for name in names},
        "load": os.getloadavg()[0],
    }


def _cpu():
    info = Path("/proc/cpuinfo")
    if not info.exists():
        return platform.processor()
    fields = dict(line.split(":", 1) for line in info.read_text().splitlines() if ":" in line)
    fields = {key.strip(): value.strip() for key, value in fields.items()}
    widest = max((w for w in ("avx", "avx2", "avx512f") if w in fields.get("flags", "").split()), key=len, default="")
    return f"{fields.get('model name', platform.processor())}, {widest}"


def report(results, options):
    """Lines of the Markdown file."""
    about = results["machine"]
    spelt = ", ".join(f"{name} {number}" for name, number in about["versions"].items())
    pin = ", ".join(f"`{name}={value}`" for name, value in results["pin"].items())
    bars, body = [], []
    for section, by_environment in results["sections"].items():
        title, what = SECTIONS[section]
        body += ["", f"## {title}", "", *([what] if what else [])]
        for name, rows in by_environment.items():
            is_pinned = bool(results["pin"]) and name == "as it is"
            if len(by_environment) > 1:
                body += ["", f"Environment: {name}."]
            body += ["", *getattr(tables, f"{section}_table")(rows, is_pinned)]
            for bar in getattr(tables, f"{section}_bars")(rows, is_pinned):
                bars.append(bar._replace(text=bar.text + (f" ({name})" if len(by_environment) > 1 else "")))
    return [
        "# Speed",
        "",
        f"`{options.command}`: {spelt}.",
        f"{about['cpu']}, {about['cores']} cores, load {about['load']:.1f} at the start. NumPy's BLAS: "
        f"{about['blas']}.",
        f"The environment pins BLAS: {pin}."
        if pin
        else "The environment does not pin OPENBLAS_CORETYPE: as it is, it is without a pin.",
        f"Medians of {options.rounds} rounds; ratios are the other library's time divided by skrnn's: above 1 skrnn is "
        "quicker. Spread: interquartile range over the median, of skrnn, torch and JAX. With the same weights all "
        f"libraries find the same loss and gradient norm of a batch, to {results['agreement']:.0e}.",
        "",
        "## Bars",
        "",
        "| what | needed | measured, the worst | met |",
        "|---|---|---|---|",
        *(bar.line() for bar in bars),
        *body,
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=list(SECTIONS), help="sections to run")
    parser.add_argument("--quick", action="store_true", help="few and short rounds")
    parser.add_argument("--rounds", type=int, help="how often everything is timed (7; quick: 3)")
    parser.add_argument("--seconds", type=float, help="of one fit of skrnn's (1; quick: 0.3)")
    parser.add_argument("--cells", nargs="+", choices=("tanh", "gru", "lstm"), default=["tanh", "gru", "lstm"])
    parser.add_argument("--points", nargs="+", type=int, help="numbers of the points of each grid, from 0")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results", help="folder of the results")
    options = parser.parse_args()
    options.command = " ".join(["python benchmarks/speed.py", *sys.argv[1:]])
    rounds, seconds, options.sequences = (3, 0.3, 2000) if options.quick else (7, 1.0, 10_000)
    options.rounds, options.seconds = options.rounds or rounds, options.seconds or seconds
    pin, found = environments()
    results = {"pin": pin, "machine": machine(None), "agreement": measure.agreement(options), "sections": {}}
    options.out.mkdir(exist_ok=True)
    for section in options.only:
        for name, environment in found.items() if section in IN_BOTH_ENVIRONMENTS else [("as it is", None)]:
            where = [environment] if section in IN_BOTH_ENVIRONMENTS else []
            rows = results["sections"].setdefault(section, {})[name] = []
            for row in getattr(measure, section)(options, *where):
                rows.append(row)
                (options.out / "speed.md").write_text("\n".join(report(results, options)) + "\n", encoding="utf-8")
                (options.out / "speed.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
