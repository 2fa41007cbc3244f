"""Tables of what was measured, and which bars are met."""

from statistics import geometric_mean, median
from typing import NamedTuple

import numpy as np

from .work import ONE_STEP, Point


class Bar(NamedTuple):
    """What a figure must be; the one farthest from it, and where that was."""

    text: str
    need: str
    value: float
    where: str
    is_met: bool

    def line(self):
        where = f" ({self.where})" if self.where else ""
        return f"| {self.text} | {self.need} | {self.value:.3g}{where} | {yes(self.is_met)} |"


def yes(is_met):
    return "yes" if is_met else "**no**"


def at_least(need, text, values):
    """A bar for pairs (value, where), or for a single value; none where there is nothing to measure it by."""
    return _bar(text, f">= {need:g}", values, min, lambda value: value >= need)


def at_most(need, text, values):
    return _bar(text, f"<= {need:g}", values, max, lambda value: value <= need)


def _bar(text, need, values, worst, is_met):
    values = [(values, "")] if isinstance(values, float) else list(values)
    if not values:
        return []
    value, where = worst(values)
    return [Bar(text, need, value, where, is_met(value))]


def of(row, name):
    """Median seconds."""
    return median(row["seconds"][name])


def best(row, prefix):
    """Name and median seconds of the quickest of those whose names begin so; (None, nan) if there are none."""
    names = [name for name in row["seconds"] if name.startswith(prefix + "_")]
    return min(((name, of(row, name)) for name in names), key=lambda found: found[1], default=(None, np.nan))


def ratio(row, prefix):
    """How many times longer the other takes."""
    return best(row, prefix)[1] / of(row, "skrnn")


def share_of_floor(row):
    return best(row, "floor")[1] / of(row, "skrnn")


def spread(row, name):
    """Interquartile range over the median, per cent."""
    low, high = np.percentile(row["seconds"][name], [25, 75])
    return 100 * (high - low) / of(row, name)


def where(row):
    return f"{row['cell']} {Point(*row['point'])}"


def threads(name):
    return name.rsplit("_", 1)[1] if name else "-"


def ms(seconds):
    return f"{seconds * 1e3:.3g}"


def table(head, rows):
    align = "|" + "|".join("---" if k < 2 else "---:" for k in range(len(head))) + "|"
    return ["| " + " | ".join(head) + " |", align, *("| " + " | ".join(row) + " |" for row in rows)]


def free_threaded_lines(rows):
    """skrnn on a Python without a global lock beside the same rounds of the others; nothing where it was not timed."""
    rows = [row for row in rows if "skrnn_free" in row["seconds"] and row.get("n") != 1]
    if not rows:
        return []
    head = "cell; what; skrnn; free-threaded; n_jobs=1 / free-threaded; torch / free-threaded; JAX / free-threaded"
    lines = []
    for row in rows:
        free = of(row, "skrnn_free")
        alone = [f"{of(row, 'skrnn_1') / free:.2f}" if "skrnn_1" in row["seconds"] else "-"]
        others = [f"**{best(row, prefix)[1] / free:.2f}**" for prefix in ("torch", "jax")]
        what = str(Point(*row["point"])) if "point" in row else f"{row['task']}, H = {row['H']}"
        lines.append([row["cell"], what, ms(of(row, "skrnn")), ms(free), *alone, *others])
    return ["", "The same on free-threaded Python, milliseconds.", "", *table(head.split("; "), lines)]


def compiled_lines(rows):
    """Compiled kernels beside the same rounds of the others; nothing where they were not timed."""
    rows = [row for row in rows if "skrnn_fast" in row["seconds"] and row.get("n") != 1]
    if not rows:
        return []
    head = "cell; what; NumPy's kernels; compiled; one thread; NumPy's / compiled; torch / compiled; JAX / compiled; "
    head += "two threads gain; of the floor"
    lines = []
    for row in rows:
        what = str(Point(*row["point"])) if "point" in row else f"{row['task']}, H = {row['H']}"
        has_both = "skrnn_fast_1" in row["seconds"]
        lines.append(
            [
                row["cell"],
                what,
                *(ms(of(row, name)) for name in ("skrnn", "skrnn_fast")),
                ms(of(row, "skrnn_fast_1")) if has_both else "-",
                f"{of(row, 'skrnn') / of(row, 'skrnn_fast'):.2f}",
                *(f"**{compiled_ratio(row, prefix):.2f}**" for prefix in ("torch", "jax")),
                f"{gain_of_threads(row):.2f}" if has_both else "-",
                f"{100 * compiled_share(row):.0f} %" if best(row, "floor")[0] else "-",
            ]
        )
    return ["", "The same with compiled kernels, milliseconds.", "", *table(head.split("; "), lines)]


def compiled_ratio(row, prefix):
    """How many times longer the other takes than compiled kernels."""
    return best(row, prefix)[1] / of(row, "skrnn_fast")


def compiled_share(row):
    """What the floor takes of compiled kernels' time."""
    return best(row, "floor")[1] / of(row, "skrnn_fast")


def gain_of_threads(row):
    """How many times longer compiled kernels take on one thread."""
    return of(row, "skrnn_fast_1") / of(row, "skrnn_fast")


COMPILED_NEEDS = {
    "training": {
        "tanh": {"torch": (2.0, 4.0), "jax": (1.5, 2.2)},
        "gru": {"torch": (2.0, 3.5), "jax": (1.5, 2.2)},
        "lstm": {"torch": (1.1, 1.7), "jax": (1.4, 2.2)},
    },
    "predict": {"tanh": 1.8, "gru": 1.8, "lstm": 1.2},
    "tokens": {"training": 1.5, "scoring": 1.3, "writing": 1.5},
}
"""Ratios that compiled kernels should have without a pin: each and mean, or each."""


def compiled_bars(section, rows, is_pinned):
    """Bars of compiled kernels, in an environment that does not pin BLAS."""
    rows = [row for row in rows if "skrnn_fast" in row["seconds"] and row.get("n") != 1]
    if is_pinned or not rows:
        return []
    bars, named = [], f"{section}, compiled"
    if section == "training":
        rows = [row for row in rows if Point(*row["point"]).B > 1]
        for cell, needs in COMPILED_NEEDS[section].items():
            of_cell = [row for row in rows if row["cell"] == cell]
            for opponent, (each, mean) in needs.items() if of_cell else ():
                values = [(compiled_ratio(row, opponent), where(row)) for row in of_cell]
                bars += at_least(each, f"{named}, {cell}, {opponent} / skrnn, every point", values)
                geometric = geometric_mean(value for value, _ in values)
                bars += at_least(mean, f"{named}, {cell}, {opponent} / skrnn, geometric mean", geometric)
        shares = [(Point(*row["point"]), compiled_share(row), where(row)) for row in rows]
        large = [(share, place) for point, share, place in shares if point.H >= 128 and point.B >= 64]
        small = [(share, place) for point, share, place in shares if point.H < 128]
        bars += at_least(0.75, f"{named}, share of the floor, H >= 128 and B >= 64", large)
        bars += at_least(0.5, f"{named}, share of the floor, H = 32 and 64", small)
        gains = [(gain_of_threads(row), where(row)) for row in rows]
        many = [pair for pair, (point, *_) in zip(gains, shares, strict=True) if point.H * point.B >= 8192]
        bars += at_least(1.6, f"{named}, gain of two threads, H * B >= 8,192", many)
    elif section == "predict":
        for cell, need in COMPILED_NEEDS[section].items():
            values = [(compiled_ratio(row, "torch"), where(row)) for row in rows if row["cell"] == cell]
            bars += at_least(need, f"{named}, {cell}, torch / skrnn", values)
    elif section == "tokens":
        for task, need in COMPILED_NEEDS[section].items():
            values = [
                (compiled_ratio(row, "torch"), f"{row['cell']}, {row['task']}, H = {row['H']}")
                for row in rows
                if row["task"].startswith(task)
            ]
            bars += at_least(need, f"{named}, {task}, torch / skrnn", values)
    elif section == "ragged":
        for row in rows:
            need = {False: (4, 2), True: (12, 7)}[bool(Point(*row["point"]).is_log)][row["cell"] == "lstm"]
            bars += at_least(float(need), f"{named}, {where(row)}, torch / skrnn", compiled_ratio(row, "torch"))
    return bars


# Training, sequences of equal lengths


def training_needs(row, is_pinned):
    """What the ratios of this row must be, by opponent."""
    point = Point(*row["point"])
    if point.B == 1:
        return {}
    if row["cell"] == "lstm":
        needs = {"torch": 0.55 if point.H < 64 else 0.7 if point.B < 64 else 1.2}
    else:
        needs = {"tanh": {"torch": 1.8, "jax": 1.0}, "gru": {"torch": 1.7, "jax": 0.85}}[row["cell"]]
    if not is_pinned:
        needs = {name: max(1.0, needs.get(name, 0)) for name in ("torch", "jax")}
    if point.H >= 128 and point.B >= 64:
        needs["floor"] = 0.6
    return needs


def _measured(row, opponent):
    return share_of_floor(row) if opponent == "floor" else ratio(row, opponent)


def _verdict(row, needs):
    missed = [name for name, need in needs.items() if not _measured(row, name) >= need]
    if not needs:
        return "reported"
    return f"**no**: {', '.join(missed)}" if missed else "yes"


def training_table(rows, is_pinned):
    head = "cell; F, H, K, B, T; skrnn; n_jobs=1; torch (threads); JAX (threads); JAX compiles, s; torch / skrnn; "
    head += "JAX / skrnn; floor; of the floor; spread, %; bars met"
    lines = []
    for row in rows:
        torch, jax, floor = (best(row, name) for name in ("torch", "jax", "floor"))
        lines.append(
            [
                row["cell"],
                str(Point(*row["point"])),
                ms(of(row, "skrnn")),
                ms(of(row, "skrnn_1")),
                f"{ms(torch[1])} ({threads(torch[0])})",
                f"{ms(jax[1])} ({threads(jax[0])})",
                f"{row['first'][jax[0]]:.1f}",
                f"**{ratio(row, 'torch'):.2f}**",
                f"**{ratio(row, 'jax'):.2f}**",
                ms(floor[1]),
                f"{100 * share_of_floor(row):.0f} %",
                " / ".join(f"{spread(row, name):.0f}" for name in ("skrnn", torch[0], jax[0])),
                _verdict(row, training_needs(row, is_pinned)),
            ]
        )
    return table(head.split("; "), lines)


def training_bars(rows, is_pinned):
    bars = []
    geometric = {"tanh": (3, 1.3), "gru": (2.2, 1.3), "lstm": (1.1, 1.6)}
    for cell, needs in geometric.items():
        of_cell = [row for row in rows if row["cell"] == cell and training_needs(row, is_pinned)]
        for opponent, need in zip(("torch", "jax"), needs, strict=True):
            by_need = {}
            for row in of_cell:
                least = training_needs(row, True).get(opponent)
                if least is not None:
                    by_need.setdefault(least, []).append((ratio(row, opponent), where(row)))
            for least, values in by_need.items():
                bars += at_least(least, f"training, {cell}, {opponent} / skrnn, every point of this bar", values)
            if of_cell:
                mean = geometric_mean(ratio(row, opponent) for row in of_cell)
                bars += at_least(need, f"training, {cell}, {opponent} / skrnn, geometric mean", mean)
    many = [row for row in rows if training_needs(row, is_pinned)]
    if not is_pinned:
        for opponent in ("torch", "jax"):
            values = [(ratio(row, opponent), where(row)) for row in many]
            bars += at_least(1.0, f"training without a pin, every cell, {opponent} / skrnn, B > 1", values)
    large = [(share_of_floor(row), where(row)) for row in many if "floor" in training_needs(row, is_pinned)]
    return bars + at_least(0.6, "training, share of the floor, H >= 128 and B >= 64", large)


# Training, sequences of unequal lengths


def ragged_need(row):
    if Point(*row["point"]).is_log:
        return 4.0 if row["cell"] == "lstm" else 7.0
    return 0.9 if row["cell"] == "lstm" else 2.5


def ragged_table(rows, is_pinned):
    head = "cell; F, H, K, B, lengths; skrnn; n_jobs=1; torch padded (threads); torch packed (threads); "
    head += "JAX padded (threads); torch / skrnn; JAX / skrnn; torch, batches of like lengths (threads); "
    head += "its ratio; spread, %; bar met"
    lines = []
    for row in rows:
        columns = [best(row, name) for name in ("torch_padded", "torch_packed", "jax")]
        like, torch = best(row, "torchlike"), best(row, "torch")
        is_met = ratio(row, "torch") >= ragged_need(row)
        lines.append(
            [
                row["cell"],
                str(Point(*row["point"])),
                ms(of(row, "skrnn")),
                ms(of(row, "skrnn_1")),
                *(f"{ms(seconds)} ({threads(name)})" for name, seconds in columns),
                f"**{ratio(row, 'torch'):.2f}**",
                f"**{ratio(row, 'jax'):.2f}**",
                f"{ms(like[1])} ({like[0].split('_', 1)[1].replace('_', ', ')})",
                f"{ratio(row, 'torchlike'):.2f}",
                " / ".join(f"{spread(row, name):.0f}" for name in ("skrnn", torch[0], columns[2][0])),
                "without a pin only" if is_pinned else yes(is_met),
            ]
        )
    return table(head.split("; "), lines)


def ragged_bars(rows, is_pinned):
    bars = []
    for row in rows if not is_pinned else []:
        bars += at_least(ragged_need(row), f"ragged training, {where(row)}, torch / skrnn", ratio(row, "torch"))
    return bars


# Prediction


def predict_need(row):
    if row["n"] == 1:
        return None
    return {"tanh": 1.5, "gru": 1.2, "lstm": None}[row["cell"]]


def overhead(row):
    """Seconds that validation and conversion add to the prediction of one sequence."""
    return of(row, "skrnn") - of(row, "kernel")


def predict_table(rows, is_pinned):
    n = max((row["n"] for row in rows), default=0)
    head = "cell; F, H, K, B, T; skrnn; torch (threads); JAX (threads); torch / skrnn; JAX / skrnn; spread, %; bar met"
    lines, singles = [], []
    for row in rows:
        torch, jax = best(row, "torch"), best(row, "jax")
        point = row["cell"], str(Point(*row["point"]))
        if row["n"] == 1:
            us = [seconds * 1e6 for seconds in (of(row, "skrnn"), of(row, "kernel"), overhead(row), torch[1], jax[1])]
            bar = yes(overhead(row) <= 2e-4) if Point(*row["point"]) == ONE_STEP else "reported"
            singles.append([*point, *(f"{value:.0f}" for value in us), bar])
            continue
        need = predict_need(row)
        lines.append(
            [
                *point,
                ms(of(row, "skrnn")),
                *(f"{ms(seconds)} ({threads(name)})" for name, seconds in (torch, jax)),
                f"**{ratio(row, 'torch'):.2f}**",
                f"**{ratio(row, 'jax'):.2f}**",
                " / ".join(f"{spread(row, name):.0f}" for name in ("skrnn", torch[0], jax[0])),
                "reported" if need is None else yes(ratio(row, "torch") >= need),
            ]
        )
    single_head = "cell; F, H, K, B, T; skrnn; its kernel; overhead; torch; JAX; bar met"
    return [
        *(f"`predict_proba` of {n:,} sequences, milliseconds.", ""),
        *table(head.split("; "), lines),
        *("", "Of one sequence, microseconds.", ""),
        *table(single_head.split("; "), singles),
    ]


def predict_bars(rows, is_pinned):
    bars = []
    for cell in ("tanh", "gru"):
        many = [row for row in rows if row["cell"] == cell and row["n"] > 1]
        values = [(ratio(row, "torch"), where(row)) for row in many]
        need = predict_need(many[0]) if many else 0
        bars += at_least(need, f"predict_proba of many sequences, {cell}, torch / skrnn, B > 1", values)
    values = [(1e3 * overhead(row), where(row)) for row in rows if Point(*row["point"]) == ONE_STEP]
    return bars + at_most(0.2, "predict_proba of one sequence, milliseconds beside the kernel", values)


# Tokens


def tokens_table(rows, is_pinned):
    head = "cell; task; H; skrnn; torch (threads); JAX (threads); torch / skrnn; JAX / skrnn; spread, %"
    lines = []
    for row in rows:
        torch, jax = best(row, "torch"), best(row, "jax")
        per_second = [f"{1e-3 / seconds:.3g}" for seconds in (of(row, "skrnn"), torch[1], jax[1])]
        lines.append(
            [
                row["cell"],
                row["task"],
                str(row["H"]),
                per_second[0],
                f"{per_second[1]} ({threads(torch[0])})",
                f"{per_second[2]} ({threads(jax[0])})",
                f"**{ratio(row, 'torch'):.2f}**",
                f"**{ratio(row, 'jax'):.2f}**",
                " / ".join(f"{spread(row, name):.0f}" for name in ("skrnn", torch[0], jax[0])),
            ]
        )
    return table(head.split("; "), lines)


def tokens_bars(rows, is_pinned):
    return []


# Whole processes


def process_table(rows, is_pinned):
    (row,) = rows
    cold = {name: f"{of(row, name):.2f} s, {peak:.0f} MB" for name, peak in row["peak"].items()}
    lines = [
        ["import skrnn, after sklearn.base", f"{of(row, 'import skrnn'):.2f} s"],
        ["import torch, after sklearn.base", f"{of(row, 'import torch'):.2f} s"],
        [
            "import, fit on 200 short sequences, predict: skrnn",
            cold["skrnn"],
        ],
        ["the same: torch with scikit-learn", cold["torch"]],
        ["Python with NumPy and the data", cold["nothing"]],
        ["size of skrnn, bytecode included", f"{row['size']:.2f} MB"],
    ]
    return table(["what", "measured"], lines)


def process_bars(rows, is_pinned):
    (row,) = rows
    return [
        *at_most(0.3, "import skrnn beyond sklearn.base, s", of(row, "import skrnn")),
        *at_least(1.5, "cold start to the first prediction, torch / skrnn", of(row, "torch") / of(row, "skrnn")),
        *at_most(2, "size of skrnn, MB", row["size"]),
    ]


# A busy machine


def slowdown(row, name):
    return of(row, f"{name} busy") / of(row, f"{name} alone")


def busy_table(rows, is_pinned):
    fits = [row for row in rows if "cell" in row]
    names = [name.removesuffix(" alone") for name in fits[0]["seconds"] if name.endswith(" alone")] if fits else []
    lines = [
        [
            row["cell"],
            str(Point(*row["point"])),
            *(f"{of(row, f'{name} alone'):.2f} / {of(row, f'{name} busy'):.2f}" for name in names),
            *(f"**{slowdown(row, name):.2f}**" for name in names),
        ]
        for row in fits
    ]
    head = ["cell", "F, H, K, B, T", *(f"{name}, alone / busy, s" for name in names), *(f"{n}, slower" for n in names)]
    searches = [
        f"`GridSearchCV(n_jobs=2)` over fits of {', '.join(f'{s:.1f}' for s in row['fits'])} s (`n_jobs=1`): "
        f"{row['search']:.1f} s, {search_ratio(row):.2f} times half their sum."
        for row in rows
        if "search" in row
    ]
    return [*table(head, lines), "", *searches]


def search_ratio(row):
    """How much longer a search on two processes takes than half of its fits' time."""
    return row["search"] / (sum(row["fits"]) / 2)


def busy_bars(rows, is_pinned):
    fits = [(slowdown(row, "skrnn"), where(row)) for row in rows if "cell" in row]
    searches = [(search_ratio(row), "") for row in rows if "search" in row]
    return [
        *at_most(3, "a fit on a busy machine, busy / alone", fits),
        *at_most(1.3, "GridSearchCV(n_jobs=2), of half the sum of its fits' times at n_jobs=1", searches),
    ]


# Long sequences


def memory_table(rows, is_pinned):
    head = "cell; steps; recompute; microseconds a step; MB above the data"
    lines = []
    for row in rows:
        figures = f"{row['seconds'] * 1e6:.1f}", f"{row['peak']:.0f}"
        lines.append([row["cell"], f"{row['n_steps']:,}", str(row["recompute"]), *figures])
    return table(head.split("; "), lines)


def memory_bars(rows, is_pinned):
    saving, plain = ({row["cell"]: row for row in rows if row["recompute"] is value} for value in (True, False))
    peaks = [(row["peak"], cell) for cell, row in saving.items() if row["n_steps"] >= 100_000]
    times = [(saving[cell]["seconds"] / row["seconds"], cell) for cell, row in plain.items()]
    return [
        *at_most(500, "training on a sequence of 100,000 steps with recompute, MB above the data", peaks),
        *at_most(1.6, "its time a step, with recompute / without", times),
    ]
