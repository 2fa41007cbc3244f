"""Tables of what was measured, and which bars are met."""

from statistics import geometric_mean, median
from typing import NamedTuple

import numpy as np

from .work import Point


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
