"""Callbacks for `set_callbacks` of the estimators, beside those of scikit-learn."""

from ._checkpoints import Checkpoint, load_checkpoint

for _public in (Checkpoint, load_checkpoint):
    _public.__module__ = "skrnn.callbacks"  # so that files outlive a move of the module
del _public

__all__ = ["Checkpoint", "load_checkpoint"]
