"""How good the labels of steps are: by step, by sequence, by span; and scorers for searches."""

from ._scorers import make_step_scorer
from ._spans import span_f1_score
from ._steps import sequence_accuracy_score, step_accuracy_score

__all__ = ["make_step_scorer", "sequence_accuracy_score", "span_f1_score", "step_accuracy_score"]

for _public in (make_step_scorer, sequence_accuracy_score, span_f1_score, step_accuracy_score):
    _public.__module__ = "skrnn.metrics"  # so that pickles outlive a move of the file
del _public
