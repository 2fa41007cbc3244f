"""A fit that has read its data: what it trains, and what it would leave if it ended after any epoch."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any, Generic

from ._fitted import Fitted, R, ResumePoint
from ._fitting import Trained, criterion_of, params_to_keep, run_training, score_in_units
from ._hold_out import Validation
from .core.data.dataset import Dataset
from .core.data.samplers import Sampler
from .core.training.loop import TrainingState
from .core.training.monitor import Observer


@dataclass(frozen=True, eq=False, repr=False)
class Learning(Generic[R]):
    """A fit that is ready to train."""

    config: Any
    fitted: Fitted[R]
    state: TrainingState
    """That of `fitted`, which training updates in place."""
    data: Dataset
    validation: Validation | None
    initial: dict[str, Any]
    """Public attributes that tell how it began."""
    n_before: int
    """Epochs before this fit."""

    def run(self, sampler: Sampler, observer: Observer) -> Trained:
        """Train to the end."""
        network = self.fitted.built
        return run_training(self.config, network, self.state, self.data, sampler, self.validation, observer)

    def copy(self) -> Learning[R]:
        """Return it as it is after this epoch, while the training of this one continues."""
        state = deepcopy(self.state)
        state.monitor.criterion = criterion_of(self.config, self.fitted.built, self.validation)
        return replace(self, state=state, fitted=replace(self.fitted, params=state.params, training=state))

    def attributes(self) -> dict[str, Any]:
        """Return the public attributes that tell of the training; losses are in units of y."""
        network, monitor = self.fitted.built, self.state.monitor
        is_validated, in_units, score = (
            self.config.early_stopping,
            network.loss.in_units,
            score_in_units(self.config, network),
        )
        return {
            **self.initial,
            "kernels_": network.kernels,
            "n_iter_": monitor.n_epochs,
            "loss_curve_": list(map(in_units, monitor.loss_curve)),
            "loss_": in_units(monitor.loss_curve[-1]),
            "best_loss_": None if is_validated else in_units(-monitor.best_score),
            "validation_scores_": list(map(score, monitor.validation_scores)) if is_validated else None,
            "best_validation_score_": score(monitor.best_score) if is_validated else None,
        }

    def resumable(self, has_converged: bool) -> Fitted[R]:
        """Return what a checkpoint holds: what the fit would leave, and where it continues."""
        n_epochs, n_steps = self.state.monitor.n_epochs - self.n_before, int(self.data.sequences.lengths.sum())
        resume = ResumePoint(n_epochs, has_converged, len(self.data), n_steps)
        return replace(self.fitted, params=params_to_keep(self.config, self.state), resume=resume)
