"""What is said of the parameters and attributes that every estimator has, written once."""

from __future__ import annotations

import inspect
import re
from typing import Any, TypeVar

DOCUMENTATION_URL = "https://skrnn.readthedocs.io/en/stable"
"""Where the pages of docs are published."""


class DocLinkMixin:
    """The page of an estimator, to which scikit-learn links its diagrams; before BaseEstimator among the bases."""

    _doc_link_module = "skrnn"
    _doc_link_template = DOCUMENTATION_URL + "/generated/{estimator_module}.{estimator_name}.html"


SHARED = """
cell : {"gru", "lstm", "tanh", "relu"}, default=...
    Gated recurrent unit; long short-term memory; Elman's cell with tanh, or with relu and identity initialisation.

n_layers : int, default=...
    Number of recurrent layers on top of each other.

dropout : float in [0, 1), default=...
    Probability with which an output of a layer is dropped in training: one mask for all steps of a sequence
    (Gal and Ghahramani, 2016), after every layer.

learning_rate : {"constant", "adaptive", "cosine"}, default=...
    "adaptive" divides the rate by 5 whenever the score stops improving, and stops below 1e-6; "cosine" lets it fall
    to 0 over `max_iter` epochs; `partial_fit`, which knows no last epoch, keeps it. Unused by "lbfgs".

learning_rate_init : float, default=...
    Learning rate of the first epoch. Unused by "lbfgs".

max_iter : int, default=...
    Largest number of epochs, passes over the sequences; of iterations for "lbfgs".

random_state : int, RandomState instance or None, default=...
    Seed of the initial parameters, the batches, dropout and the validation split: an int gives the same model at
    every fit.

tol : float, default=1e-4
    Least improvement of the training loss, or of the validation score, that counts. For "lbfgs" the largest entry
    of the gradient at which to stop.

verbose : bool or int, default=...
    Print the progress of the training: 1 now and then, 2 at every epoch.

momentum : float in [0, 1), default=0.9
    Momentum of "sgd".
nesterovs_momentum : bool, default=True
    Whether the momentum of "sgd" is Nesterov's.

beta_1 : float in [0, 1), default=0.9
    Decay of Adam's first moment, the mean of the gradients.
beta_2 : float in [0, 1), default=0.999
    Decay of Adam's second moment, the mean of their squares.

epsilon : float, default=1e-8
    Added to the root of the mean square by "adam" and "rmsprop".

max_grad_norm : float or None, default=...
    Longer gradients are shortened to this norm; None turns that off. Unused by "lbfgs".

n_iter_no_change : int or inf, default=...
    Epochs in a row without improvement by `tol` after which training stops.

n_jobs : int or None, default=...
    Threads for large batches, at most one for each CPU. None uses as many as BLAS may use at this moment, so that
    ``threadpool_limits``, ``OMP_NUM_THREADS`` and the nesting of joblib hold. Results depend on the number of
    threads in the last bits.

kernels_ : {"numpy", "numba"}
    What computed the steps of the last fit, see the guide on performance.

n_iter_ : int
    Number of epochs, those of warm starts and calls of `partial_fit` included.

best_loss_ : float or None
    Least training loss on the data of the last fit; None with early stopping.

loss_curve_ : list of float
    Training loss of each epoch.

validation_scores_ : list of float or None
    Score of each epoch on what was held out, higher is better; None without early stopping.

best_validation_score_ : float or None
    The highest of them.

bidirectional : bool, default=False
    Whether each layer also reads the sequences from their ends.

solver : {"adam", "sgd", "rmsprop", "lbfgs"}, default="adam"
    What minimises the loss. "lbfgs" uses all sequences at once and suits small data.

alpha : float, default=1e-4
    Strength of the L2 penalty on weights, not biases: ``alpha / 2 * ||W||^2`` divided by the number of sequences,
    or, with weights, by their sum.

batch_size : int or "auto", default="auto"
    Sequences a batch; "auto" is ``min(200, n_sequences)``. Unused by "lbfgs".

shuffle : bool, default=True
    Whether sequences are shuffled. A single batch is never shuffled.

recompute : bool or "auto", default="auto"
    Whether training computes the activations of a batch twice, and holds those of some of its steps at a time:
    exact gradients of very long sequences in little memory, for a fifth to a half more time. "auto" does
    where they would take more than a gibibyte. If `bidirectional`, the outputs of all layers and steps are held.

bptt_steps : int or None, default=None
    Over how many steps from the end of each sequence the gradient flows back; None is all of them. Earlier steps
    still make the state, and their part of the pooling, but nothing is learned from them: quicker than `recompute`
    for very long sequences, and no longer exact. Not with `bidirectional` or "lbfgs".

input_type : {"auto", "features", "tokens"}, default="auto"
    What a step is: a row of numbers, or one token. "auto" takes text as tokens and numbers as features; pass "tokens"
    for numbers that name something.

categorical_features : "from_dtype", array-like of column names or indices, or None, default="from_dtype"
    Columns whose values are categories, each read as a vector beside the numbers: with "from_dtype" those of a list of
    data frames that hold text or have a categorical dtype. `min_frequency`, `max_tokens`, `handle_unknown` and
    `embedding_size` hold for each of them.

vocabulary : array-like of tokens or None, default=None
    All tokens that are known, in this order; None learns them from X.

min_frequency : int, float in (0, 1) or None, default=None
    Tokens that are rarer, as a count or as a share of all tokens, are learned as one, UNKNOWN.

max_tokens : int or None, default=None
    Largest number of tokens in the vocabulary; the rarer ones are learned as UNKNOWN.

handle_unknown : {"use_unknown", "error"}, default="use_unknown"
    What to do with a token that is not in the vocabulary: read it as UNKNOWN, or raise. With "error" tokens that
    `min_frequency` or `max_tokens` left out are still UNKNOWN.

embedding_size : int, "auto" or None, default="auto"
    Length of the vector that is learned for each token. None has none: a token picks a column of the first layer's
    weights. "auto" is `hidden_size` for more tokens than that, else None.

initial_timescale : float, "auto" or None, default="auto"
    Over how many steps gates keep a state at first: from 1 to this, spread over the units (Tallec and Ollivier, 2018).
    "auto" is a tenth of the mean length of the training sequences, rounded to a power of 2, and None with a target for
    each step. None, or 2 and less, leave the biases at 0, at 1 for the forget gate of "lstm". Unused without gates.

initial_timescale_ : float or None
    What `initial_timescale` was at the first fit.

dtype : {"auto", np.float64, np.float32} or names of these, default="auto"
    Of the parameters and of all results. "auto" is float32 if all of X is float32 at the first fit, else float64;
    float32 is about twice as fast.

vocabulary_ : dict of token to int
    Number of each token, that of UNKNOWN last; only after a fit on tokens.

categories_ : dict of column to ndarray
    Known values of each column of categories; only after a fit on some.

n_inputs_ : int
    Features per step, categories among them; only after a fit on features.

n_features_in_ : int
    Columns of X if it was 2-D, that is steps, or 1 for a column of sequences; else features per step.

feature_names_in_ : ndarray of shape (`n_features_in_`,)
    Column names, if X was a data frame or a list of data frames with only str as names; later ones are held against
    them.

early_stopping : bool, default=False
    Whether to hold out a part of the sequences, stop when the score on it stops improving, and keep the parameters
    that had the best one. "lbfgs" has none.

validation_fraction : float in (0, 1), default=0.1
    Share of the sequences held out, at random. Unused if `fit` is given `X_val`.
"""
"""Entries as numpydoc wants them, by their first names; ``default=...`` stands for that of the constructor."""

ENTRIES = {re.split(r"\W", entry, maxsplit=1)[0]: entry for entry in SHARED.strip().split("\n\n")}

OF_METHODS = {
    "X_of_sequences": """X : list of array-like of shape (n_steps_i, n_features), list of sequences of tokens, or array
    The sequences, see the class; any lengths, unless both this X and that of `fit` are 2-D. A table of one column whose
    cells are sequences is read as the list of them.""",
    "X_of_tokens": """X : list of sequences of tokens, or array-like of shape (n_sequences, n_tokens)
    The sequences, see the class. A table of one column whose cells are sequences is read as the list of them.""",
    "init_from": """init_from : estimator, default=None
    Fitted; training begins at its input and layers, and continues from there (Dai and Le, 2015): those of a token
    model that has read many texts help where few have labels. It must have the same `cell`, `hidden_size` and
    `n_layers`; its vocabulary and its embeddings are taken over.""",
    "sample_weight": """sample_weight : array-like of shape (n_sequences,), default=None
    Weight of each sequence, not negative; 1 by default.""",
}
"""The same for the docstrings of methods."""

Class = TypeVar("Class", bound=type)


def documented(cls: Class) -> Class:
    """Write the shared entries where the docstrings of a class and its methods have a line of their name in braces."""
    defaults = {name: parameter.default for name, parameter in inspect.signature(cls).parameters.items()}
    _write_entries(cls, {name: _with_default(entry, defaults.get(name)) for name, entry in ENTRIES.items()})
    for value in vars(cls).values():
        if inspect.isfunction(function := getattr(value, "fn", value)):  # of a method that is there for some solvers
            _write_entries(function, OF_METHODS)
    return cls


def _with_default(entry: str, default: object) -> str:
    """Return an entry with the default of the constructor."""
    shown = f'"{default}"' if isinstance(default, str) else repr(default)
    return entry.replace("default=...", f"default={shown}")


def _write_entries(documented: Any, entries: dict[str, str]) -> None:
    """Write entries into a docstring, each where a line has its name in braces."""

    def entry(line: re.Match[str]) -> str:
        indent, name = line.groups()
        return "\n".join(indent + row for row in entries[name].splitlines())

    if documented.__doc__:  # Python leaves it out with -OO
        documented.__doc__ = re.sub(r"^( *)\{(\w+)\}$", entry, documented.__doc__, flags=re.MULTILINE)
