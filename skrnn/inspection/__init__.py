"""Look at what a network learns from, and how."""

from ._gradients import ArrayCheck, GradientCheck, check_gradient
from ._training_curve import TrainingCurveDisplay

for _public in (ArrayCheck, GradientCheck, check_gradient, TrainingCurveDisplay):
    _public.__module__ = "skrnn.inspection"  # so that pickles outlive a move of the file
del _public

__all__ = ["ArrayCheck", "GradientCheck", "TrainingCurveDisplay", "check_gradient"]
