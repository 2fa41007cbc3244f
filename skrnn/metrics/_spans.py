"""F1 of spans: runs of steps that one label names, such as persons and places in a text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .._validation.values import SCALARS, shown, shown_all
from ._reading import LabelPair, read_label_pair

Span = tuple[str, int, int]
"""Kind, first step, last step."""

_PREFIXES = {"BIO": "BI", "IOBES": "BIES"}


def span_f1_score(
    y_true: Any,
    y_pred: Any,
    *,
    scheme: str = "BIO",
    mode: str = "default",
    average: str | None = "micro",
    zero_division: float = 0.0,
) -> float | np.ndarray:
    """Compute the F1 score of spans: a predicted one is right if kind, first and last step are.

    Labels are ``"O"`` outside of spans, else a prefix, a hyphen and a kind, such as ``"B-person"``: B begins a span, I
    is inside, E ends one and S is one by itself.

    Parameters
    ----------
    y_true, y_pred : list of list of str
        True and predicted labels of each sequence.
    scheme : {"BIO", "IOBES"}, default="BIO"
        Prefixes, and what they mean in mode "strict".
    mode : {"default", "strict"}, default="default"
        "default" reads spans where labels contradict each other, too, as the script of the CoNLL-2003 shared task does:
        an I after an O begins one. In "strict" a span begins with B and continues with I of its kind; of "IOBES" it
        also ends with E, or is S. Other labels are in no span.
    average : {"micro", "macro", "weighted"} or None, default="micro"
        Over all spans; the mean over kinds, or the mean weighted by their true spans; None gives the score of each
        kind, sorted.
    zero_division : float, default=0.0
        Score from 0 to 1 where there are no true and no predicted spans.

    Returns
    -------
    f1 : float or ndarray of shape (n_kinds,), dtype float64
        From 0 to 1. Kinds are those of true or predicted spans.

    Raises
    ------
    TypeError
        If a label is neither text, number nor boolean.
    ValueError
        If there are no sequences, an empty one, or one label for each sequence; if sequences or steps are not as many
        in both; if a label is neither ``"O"`` nor a prefix of the scheme, a hyphen and a kind, in either mode; if an
        option is none of those above.

    References
    ----------
    Tjong Kim Sang and De Meulder, *Introduction to the CoNLL-2003 shared task* (2003). Both modes are those of seqeval
    1.2.2, whose strict mode drops hyphens around a kind, and whose default mode takes the prefixes of all schemes.

    Examples
    --------
    >>> from skrnn.metrics import span_f1_score
    >>> y_true = [["B-per", "I-per", "O", "B-loc"]]
    >>> y_pred = [["B-per", "I-per", "O", "O"]]
    >>> round(span_f1_score(y_true, y_pred), 3)
    0.667
    """
    for name, value, options in (
        ("scheme", scheme, tuple(_PREFIXES)),
        ("mode", mode, ("default", "strict")),
        ("average", average, ("micro", "macro", "weighted", None)),
    ):
        if not isinstance(value, (str, type(None))) or value not in options:
            raise ValueError(f"{name} is {shown(value)}. Pass one of {shown_all(list(options))}.")
    if not (isinstance(zero_division, SCALARS[1:]) and 0 <= zero_division <= 1):
        raise ValueError(f"zero_division is {shown(zero_division)}. Pass a number from 0 to 1.")
    pair = read_label_pair(y_true, y_pred)
    _check_labels(pair, scheme)
    find = _spans if mode == "default" else _strict_spans[scheme]
    first = np.cumsum(pair.lengths) - pair.lengths

    def spans(codes: np.ndarray) -> set[tuple[int, Span]]:
        sequences = np.split(np.array(pair.classes, dtype=object)[codes], first[1:])
        return {(i, span) for i, labels in enumerate(sequences) for span in find(labels.tolist())}

    return _f1(spans(pair.y_true), spans(pair.y_pred), average, float(zero_division))


def _check_labels(pair: LabelPair, scheme: str) -> None:
    """Raise for what is no label of the scheme."""
    prefixes = _PREFIXES[scheme]
    for labels in (pair.true, pair.predicted):
        for code, label in enumerate(labels.classes.tolist()):
            is_label = isinstance(label, str) and (
                label == "O" or (len(label) > 2 and label[0] in prefixes and label[1] == "-")
            )
            if not is_label:
                raise ValueError(
                    f"{pair.find(labels, code)} is {shown(label)}, which is no label of scheme={scheme!r}. Labels are "
                    f"'O', or one of the prefixes {', '.join(prefixes)}, a hyphen and a kind, such as 'B-person'."
                )


def _f1(true: set, predicted: set, average: str | None, zero_division: float) -> float | np.ndarray:
    """F1 of spans (sequence, span)."""
    counts = [Counter(span[0] for _, span in spans) for spans in (true & predicted, true, predicted)]
    n_right, n_true, n_predicted = counts
    if average == "micro":
        return _ratio(2 * n_right.total(), n_true.total() + n_predicted.total(), zero_division)
    kinds = sorted(n_true | n_predicted)
    scores = np.array([_ratio(2 * n_right[k], n_true[k] + n_predicted[k], zero_division) for k in kinds])
    if average is None:
        return scores
    if not kinds:
        return zero_division
    weights = np.array([n_true[k] for k in kinds]) if average == "weighted" else np.ones(len(kinds))
    return float(np.average(scores, weights=weights)) if weights.any() else 0.0


def _ratio(part: int, whole: int, zero_division: float) -> float:
    return part / whole if whole else zero_division


def _parts(labels: Sequence[str]) -> list[tuple[str, str]]:
    """Prefix and kind of each label, and an O behind the last."""
    return [(label[0], label[2:]) for label in labels] + [("O", "")]


def _spans(labels: Sequence[str]) -> list[Span]:
    """Read spans as the script of the shared task does."""
    spans, first, before = list[Span](), 0, ("O", "")
    for i, (prefix, kind) in enumerate(_parts(labels)):
        is_same = before[0] in "BI" and prefix in "IE" and kind == before[1]
        if before[0] != "O" and not is_same:
            spans.append((before[1], first, i - 1))
        if prefix != "O" and not is_same:
            first = i
        before = prefix, kind
    return spans


def _strict_bio(labels: Sequence[str]) -> list[Span]:
    """Read spans B I I ..."""
    spans, first, kind_now = list[Span](), -1, ""
    for i, (prefix, kind) in enumerate(_parts(labels)):
        if first >= 0 and not (prefix == "I" and kind == kind_now):
            spans.append((kind_now, first, i - 1))
            first = -1
        if prefix == "B":
            first, kind_now = i, kind
    return spans


def _strict_iobes(labels: Sequence[str]) -> list[Span]:
    """Read spans S, and B I ... E."""
    spans, first, kind_now = list[Span](), -1, ""
    for i, (prefix, kind) in enumerate(_parts(labels)):
        if prefix == "S":
            spans.append((kind, i, i))
        if first >= 0 and prefix == "E" and kind == kind_now:
            spans.append((kind, first, i))
        if prefix == "B":
            first, kind_now = i, kind
        elif prefix != "I" or kind != kind_now:
            first = -1
    return spans


_strict_spans: dict[str, Callable[[Sequence[str]], list[Span]]] = {"BIO": _strict_bio, "IOBES": _strict_iobes}
