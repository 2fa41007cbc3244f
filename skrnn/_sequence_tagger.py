"""The tagger: from sequences and the labels of their steps to a network that labels every step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
from sklearn.utils._param_validation import StrOptions  # as in _base.py
from sklearn.utils.metaestimators import available_if

from ._base import Passed
from ._base_sequences import BaseSequenceEstimator, by_sequence
from ._config import TaggerConfig
from ._documentation import documented
from ._fitted import Fitted
from ._tagged_sequences import TaggedSequences, TagReading
from .core.data.dataset import Dataset
from .core.data.sequences import Sequences
from .core.model.chain import LinearChain
from .core.model.network import Network
from .core.workspace import Workspace


@documented
class RNNSequenceTagger(BaseSequenceEstimator[TagReading]):
    """Recurrent neural network that gives every step of a sequence a label.

    The network reads a sequence in both directions, so that a step's label depends on what comes before and after it.
    On top a linear chain (a conditional random field) scores labels that follow one another, and the likeliest
    sequence of labels is predicted as a whole.

    One sample is one sequence: X is a list of arrays of shape (n_steps_i, n_features), an array of shape
    (n_sequences, n_steps, n_features), or, for sequences of single numbers, one of shape (n_sequences, n_steps).
    Scale X first, for example with :class:`skrnn.preprocessing.SequenceScaler`.

    Parameters
    ----------
    hidden_size : int, default=64
        Number of units of each layer and direction.
    loss : {"crf", "log_loss"}, default="crf"
        What is minimised: minus the log-probability of a sequence's labels in a linear chain, or the cross-entropy of
        each label by itself.
    ignore_label : label or None, default=None
        Label of steps that have none. In a chain it may stand for any label; such steps count neither in the loss nor
        in `score`.
    {cell}
    {n_layers}
    bidirectional : bool, default=True
        Whether each layer also reads the sequences from their ends; without, a state depends on the steps so far only.
    {dropout}
    {input_type}
    {categorical_features}
    {vocabulary}
    {min_frequency}
    {max_tokens}
    {handle_unknown}
    {embedding_size}
    {initial_timescale}
    {solver}
    {alpha}
    {batch_size}
    {learning_rate}
    {learning_rate_init}
    {max_iter}
    {shuffle}
    {random_state}
    {tol}
    {verbose}
    warm_start : bool, default=False
        Whether `fit` continues from where the last one ended, with its moments and random state. These cannot
        change: `cell`, `hidden_size`, `n_layers`, `bidirectional`, `loss` and `ignore_label`.
    {momentum}
    {beta_1}
    {epsilon}
    {max_grad_norm}
    {early_stopping}
    {validation_fraction}
    {n_iter_no_change}
    scoring : str, callable or None, default="loss"
        What early stopping looks at: "loss" is minus the mean loss on the sequences held out; a callable is called as
        ``scorer(estimator, X, y)``; None is the accuracy over steps.
    class_weight : dict, "balanced" or None, default=None
        Weight of each label, with loss="log_loss" only; "balanced" makes all labels weigh the same.
    recompute : bool or "auto", default="auto"
        Whether training computes the activations of a batch twice, and holds only the outputs of all layers and steps:
        less memory for very long sequences. "auto" does where they would take more than a gibibyte.
    {n_jobs}
    {dtype}

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted, without `ignore_label`.
    {n_inputs_}
    {vocabulary_}
    {categories_}
    {n_features_in_}
    {feature_names_in_}
    {initial_timescale_}
    {kernels_}
    {n_iter_}
    loss_ : float
        Training loss of the last epoch, nats per labelled step, with the penalty.
    {best_loss_}
    {loss_curve_}
    {validation_scores_}
    {best_validation_score_}
    weights_ : dict of str to ndarray
        Parameters by name, views of one vector, as :class:`RNNSequenceClassifier` has them. Of a chain there are
        ``head.W_t`` (n_classes, n_classes), the score of a label (column) after another (row), ``head.b_first`` and
        ``head.b_last``.

    See Also
    --------
    RNNSequenceClassifier : For one label for each sequence.
    RNNSequenceRegressor : For a number for each step.

    Notes
    -----
    This is no classifier in the sense of scikit-learn, whose labels belong to samples: an integer `cv` is KFold.
    ``cross_val_predict`` joins the predictions of folds; its ``method="predict_proba"`` does not work, since it encodes
    y as one label for each sample.

    float32 is used if all of X is float32 at the first fit, else float64; a chain computes in float64.

    References
    ----------
    Lafferty, McCallum and Pereira, *Conditional random fields* (2001). Huang, Xu and Yu, *Bidirectional LSTM-CRF models
    for sequence tagging* (2015). The equations are in :mod:`skrnn.core.model.chain`.

    Examples
    --------
    A step is labelled by the sign of the step before it:

    >>> import numpy as np
    >>> from skrnn import RNNSequenceTagger
    >>> rng = np.random.default_rng(0)
    >>> X = [rng.standard_normal(rng.integers(2, 9)) for _ in range(200)]
    >>> y = [["first"] + ["up" if v > 0 else "down" for v in x[:-1]] for x in X]
    >>> model = RNNSequenceTagger(16, batch_size=20, max_iter=30, learning_rate="cosine", random_state=0).fit(X, y)
    >>> model.predict([[2.0, -2.0, 1.0]])[0]
    array(['first', 'up', 'down'], dtype='<U5')
    """

    _config_type = TaggerConfig
    _reading_type = TagReading
    _build_network = staticmethod(Network.build_for_labels)
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseSequenceEstimator._parameter_constraints,
        "loss": [StrOptions({"crf", "log_loss"})],
        "class_weight": [dict, StrOptions({"balanced"}), None],
    }

    def __init__(
        self,
        hidden_size: int = 64,
        *,
        loss: str = "crf",
        ignore_label: Any = None,
        cell: str = "gru",
        n_layers: int = 1,
        bidirectional: bool = True,
        dropout: float = 0.0,
        input_type: str = "auto",
        categorical_features: Any = "from_dtype",
        vocabulary: Any = None,
        min_frequency: float | None = None,
        max_tokens: int | None = None,
        handle_unknown: str = "use_unknown",
        embedding_size: int | str | None = "auto",
        initial_timescale: float | str | None = "auto",
        solver: str = "adam",
        alpha: float = 1e-4,
        batch_size: int | str = "auto",
        learning_rate: str = "constant",
        learning_rate_init: float = 3e-3,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: int | np.random.RandomState | None = None,
        tol: float = 1e-4,
        verbose: bool | int = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        max_grad_norm: float | None = 1.0,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 20,
        scoring: str | Callable | None = "loss",
        class_weight: dict | str | None = None,
        recompute: bool | str = "auto",
        n_jobs: int | None = None,
        dtype: Any = "auto",
    ) -> None:
        self.hidden_size = hidden_size
        self.loss = loss
        self.ignore_label = ignore_label
        self.cell = cell
        self.n_layers = n_layers
        self.bidirectional = bidirectional
        self.dropout = dropout
        self.input_type = input_type
        self.categorical_features = categorical_features
        self.vocabulary = vocabulary
        self.min_frequency = min_frequency
        self.max_tokens = max_tokens
        self.handle_unknown = handle_unknown
        self.embedding_size = embedding_size
        self.initial_timescale = initial_timescale
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.max_grad_norm = max_grad_norm
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.scoring = scoring
        self.class_weight = class_weight
        self.recompute = recompute
        self.n_jobs = n_jobs
        self.dtype = dtype

    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
        init_from: Any = None,
    ) -> RNNSequenceTagger:
        """Learn from sequences and the labels of their steps.

        Parameters
        ----------
        {X_of_sequences}
        y : list of array-like of shape (n_steps_i,)
            The labels of each sequence: numbers, strings or booleans, one for each step.
        {sample_weight}
        X_val, y_val : as X and y, default=None
            Sequences and labels for early stopping, instead of a part of X.
        sample_weight_val : array-like of shape (n_sequences_val,), default=None
            Their weights.
        {init_from}

        Returns
        -------
        self : RNNSequenceTagger
            Fitted; with the best parameters so far, and a warning, if Ctrl-C interrupts or the loss stops being finite.

        Raises
        ------
        TypeError, ValueError
            If X, y or a weight is not what it should be, all steps are ignored, parameters contradict each other, or
            the loss is not finite before an epoch is complete. Nothing has changed then.
        """
        config = self._with_source(self._read_config(), init_from)
        to_validate = self._passed_to_validate(config, Passed(X_val, y_val, sample_weight_val))
        self._learn(config, Passed(X, y, sample_weight), to_validate)
        return self

    @available_if(BaseSequenceEstimator._has_partial_fit)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None) -> RNNSequenceTagger:
        """Learn from the given sequences for one epoch, after what was learned before.

        Parameters
        ----------
        {X_of_sequences}
        y : list of array-like of shape (n_steps_i,)
            The labels of each sequence.
        {sample_weight}
        classes : array-like of shape (n_classes,), default=None
            All labels that will ever come. Needed at the first call, unused after it.

        Returns
        -------
        self : RNNSequenceTagger
            Fitted.

        Raises
        ------
        TypeError, ValueError
            As `fit`; if `early_stopping` is set; if `classes` is missing at the first call; if y has a label that is
            not among them.
        """
        config = self._read_config(is_partial=True)
        config.check_compatible(None)
        if config.class_weight == "balanced":
            raise ValueError(
                "partial_fit does not support class_weight='balanced', since a part of the labels does not tell how "
                "often each comes. Pass the weights as a dict."
            )
        self._learn(config, Passed(X, y, sample_weight), announced=classes)
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Predict the label of every step: the likeliest sequence of labels, or the likeliest label of each step.

        Parameters
        ----------
        {X_of_sequences}

        Returns
        -------
        y : ndarray of shape (n_sequences,), dtype object
            Of arrays (n_steps_i,), in the dtype of ``classes_``.
        """
        fitted = self._check_fitted()
        sequences = fitted.reading.to_predict(X)
        codes = self._predict_codes(fitted, sequences)
        return by_sequence(fitted.reading.classes[codes], sequences)

    def predict_proba(self, X: Any) -> np.ndarray:
        """Predict the probability of each label at every step: in a chain its marginal, given the whole sequence.

        Parameters
        ----------
        {X_of_sequences}

        Returns
        -------
        proba : ndarray of shape (n_sequences,), dtype object
            Of arrays (n_steps_i, n_classes), in the order of ``classes_``.
        """
        fitted = self._check_fitted()
        sequences = fitted.reading.to_predict(X)
        raw, loss = np.concatenate(self._predict_network(fitted, sequences)), fitted.network.loss
        if isinstance(loss, LinearChain):
            return by_sequence(loss.marginals(raw, sequences.lengths, self._head(fitted)), sequences)
        return by_sequence(np.exp(raw), sequences)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the accuracy over steps: the share of those that are labelled whose predicted label is theirs.

        Parameters
        ----------
        {X_of_sequences}
        y : list of array-like of shape (n_steps_i,)
            Their labels; one that is not among ``classes_`` counts as predicted wrongly.
        {sample_weight}

        Returns
        -------
        accuracy : float
            From 0 to 1.

        Raises
        ------
        ValueError
            If all steps have `ignore_label`.
        """
        fitted = self._check_fitted()
        sequences = fitted.reading.to_predict(X)
        codes, weights = fitted.reading.to_score(sequences, y, sample_weight)
        if not weights.any():
            raise ValueError("y has no label but ignored ones, so there is nothing to score. Label at least one step.")
        is_right = self._predict_codes(fitted, sequences) == codes
        return float(np.average(is_right, weights=weights / weights.max()))

    def _predict_codes(self, fitted: Fitted[TagReading], sequences: Sequences) -> np.ndarray:
        """Indices (N,) of the labels of all steps, one sequence after another."""
        raw, loss = np.concatenate(self._predict_network(fitted, sequences)), fitted.network.loss
        if isinstance(loss, LinearChain):
            return loss.best_labels(raw, sequences.lengths, self._head(fitted))
        return raw.argmax(axis=1)

    @staticmethod
    def _head(fitted: Fitted[TagReading]) -> dict[str, np.ndarray]:
        """Parameters of the head, by name."""
        return fitted.network.views(fitted.params)["head"]

    def _read(
        self, config: TaggerConfig, passed: Passed, reading: TagReading | None, announced: Any
    ) -> tuple[TagReading, TaggedSequences]:
        if config.is_partial and reading is None and announced is None:
            raise ValueError("classes must be passed on the first call to partial_fit: all labels that will come.")
        if reading is None:
            return TagReading.learn(self._make_shape(), config, passed, announced)
        if announced is not None:
            reading.check_same_classes(announced)
        return reading, reading.to_learn(passed)

    def _read_validation(self, config: TaggerConfig, passed: Passed, reading: TagReading) -> TaggedSequences:
        return reading.to_validate(passed)

    def _network_arguments(self, config: TaggerConfig, reading: TagReading, data: Dataset[Sequences]) -> dict[str, Any]:
        return {
            **config.network_arguments(),
            **reading.input.network_arguments(reading.shape),
            "n_classes": len(reading.classes),
            "loss": config.loss,
            "class_weights": reading.class_weights(config.class_weight, data),
        }

    def _default_score(
        self, reading: TagReading, network: Network, data: Dataset[Sequences]
    ) -> Callable[[np.ndarray], float]:
        workspace, loss, lengths = Workspace(reading.dtype), network.loss, data.sequences.lengths
        if not isinstance(loss, LinearChain):
            return lambda params: -network.mean_loss(params, data, workspace)
        labels, _ = data.all_targets()

        def score(params: np.ndarray) -> float:
            emissions = network.predict(params, data.sequences, workspace)
            log_likelihood = loss.log_likelihood(emissions, labels, lengths, network.views(params)["head"])
            return float(data.weights @ log_likelihood / data.total_weight)

        return score
