"""Look at what a network learns from, and how; at what it has learned, and why it predicts what it does."""

from ._attribution_display import AttributionDisplay
from ._attributions import attribute
from ._class_probability import ClassProbabilityDisplay
from ._gradients import ArrayCheck, GradientCheck, check_gradient
from ._hidden_states_display import HiddenStatesDisplay
from ._network_display import NetworkDisplay
from ._states import hidden_states
from ._token_surprise import TokenSurpriseDisplay
from ._training_curve import TrainingCurveDisplay

__all__ = [
    "ArrayCheck",
    "AttributionDisplay",
    "ClassProbabilityDisplay",
    "GradientCheck",
    "HiddenStatesDisplay",
    "NetworkDisplay",
    "TokenSurpriseDisplay",
    "TrainingCurveDisplay",
    "attribute",
    "check_gradient",
    "hidden_states",
]

for _name in __all__:
    globals()[_name].__module__ = "skrnn.inspection"  # so that pickles outlive a move of the file
del _name
