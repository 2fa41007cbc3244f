"""The classifier: from sequences and labels to a network that tells them apart."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils import check_consistent_length
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.metaestimators import available_if

from ._base import Passed
from ._base_sequences import BasePoolingEstimator, by_sequence
from ._config import ClassifierConfig
from ._documentation import documented
from ._fitted import Fitted
from ._labelled_sequences import LabelledReading, LabelledSequences
from ._validation.indicators import read_indicators
from ._validation.weights import check_sample_weight
from .core.data.dataset import Dataset
from .core.data.sequences import Sequences
from .core.model.network import Network
from .core.workspace import Workspace


@documented
class RNNSequenceClassifier(ClassifierMixin, BasePoolingEstimator[LabelledReading]):
    """Recurrent neural network that classifies whole sequences.

    The network reads a sequence step by step, pools its states over the steps, and gives each class a probability. It
    minimises the cross-entropy by backpropagation through time, with sequences of any lengths and no padding.

    One sample is one sequence: X is a list of arrays of shape (n_steps_i, n_features), an array of shape
    (n_sequences, n_steps, n_features), or, for sequences of single numbers, one of shape (n_sequences, n_steps).
    Scale X first, for example with :class:`skrnn.preprocessing.SequenceScaler`.

    Parameters
    ----------
    hidden_size : int, default=64
        Number of units of each layer and direction.
    {cell}
    {n_layers}
    {bidirectional}
    pooling : {"last", "mean", "max"}, default="last"
        What of the top layer's states is classified: the last one of each direction, or the mean or the maximum over
        all steps.
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
        Whether `fit` continues from where the last one ended, with its moments and random state. On the same data a
        epochs and then b are the same as a + b; other data begin with fresh patience, best scores and learning rate.
        What the weights mean cannot change: `cell`, `hidden_size`, `n_layers`, `bidirectional` and `pooling`.
    {momentum}
    {beta_1}
    {epsilon}
    {max_grad_norm}
    early_stopping : bool, default=False
        Whether to hold out a part of the sequences, stop when the score on it stops improving, and keep the parameters
        that had the best one. "lbfgs" has none.
    validation_fraction : float in (0, 1), default=0.1
        Share of the sequences held out, of each class as near as possible in proportion, and never all of one: a class
        with a single sequence stays in training. Unused if `fit` is given `X_val`.
    {n_iter_no_change}
    scoring : str, callable or None, default="loss"
        Score for early stopping: "loss" is minus the mean loss on the sequences held out; else any scorer of
        scikit-learn, called as ``scorer(estimator, X, y)``; None is the accuracy.
    class_weight : dict, "balanced" or None, default=None
        Weight of each class, multiplied into `sample_weight`; "balanced" makes all classes weigh the same.
    {recompute}
    {bptt_steps}
    {n_jobs}
    {dtype}

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted; numbers of the columns if y was an indicator matrix.
    {n_inputs_}
    {vocabulary_}
    {categories_}
    {n_features_in_}
    {feature_names_in_}
    {initial_timescale_}
    {kernels_}
    {n_iter_}
    loss_ : float
        Training loss of the last epoch, nats per sequence, with the penalty.
    {best_loss_}
    {loss_curve_}
    {validation_scores_}
    {best_validation_score_}
    weights_ : dict of str to ndarray
        Parameters by name, views of one vector: ``rnn.0.W_x`` (n_gates * hidden_size, n_inputs), ``rnn.0.W_h``,
        ``rnn.0.b``, ``rnn.0.reverse.W_x``, ..., ``head.W_y`` (n_classes, n_outputs), ``head.b_y``.

    See Also
    --------
    skrnn.preprocessing.SequenceScaler : Standardise each feature over all steps.
    sklearn.neural_network.MLPClassifier : For samples without an order in them.

    Notes
    -----
    float32 is used if all of X is float32 at the first fit, else float64; float32 is about twice as fast.

    With full batches (at most 200 sequences by default) repeating a sequence and weighting it are the same to the bit.
    With minibatches they are the same in expectation only, as in any stochastic training.

    References
    ----------
    Elman, *Finding structure in time* (1990). Hochreiter and Schmidhuber, *Long short-term memory* (1997). Cho et al.,
    *Learning phrase representations using RNN encoder-decoder for statistical machine translation* (2014). The
    equations are in :mod:`skrnn.core.cells`.

    Examples
    --------
    Does a sequence rise or fall?

    >>> import numpy as np
    >>> from skrnn import RNNSequenceClassifier
    >>> rng = np.random.default_rng(0)
    >>> X = [np.linspace(0, rng.choice([-1, 1]), rng.integers(5, 15)) for _ in range(100)]
    >>> y = ["rises" if x[-1] > 0 else "falls" for x in X]
    >>> model = RNNSequenceClassifier(random_state=0).fit(X, y)
    >>> model.predict([[0.0, 0.1, 0.2, 0.3], [0.0, -0.2, -0.4]])
    array(['rises', 'falls'], dtype='<U5')
    >>> model.score(X, y)
    1.0
    """

    _config_type = ClassifierConfig
    _reading_type = LabelledReading
    _build_network = staticmethod(Network.build)
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BasePoolingEstimator._parameter_constraints,
        "class_weight": [dict, StrOptions({"balanced"}), None],
    }

    def __init__(
        self,
        hidden_size: int = 64,
        *,
        cell: str = "gru",
        n_layers: int = 1,
        bidirectional: bool = False,
        pooling: str = "last",
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
        bptt_steps: int | None = None,
        n_jobs: int | None = None,
        dtype: Any = "auto",
    ) -> None:
        self.hidden_size = hidden_size
        self.cell = cell
        self.n_layers = n_layers
        self.bidirectional = bidirectional
        self.pooling = pooling
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
        self.bptt_steps = bptt_steps
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
    ) -> RNNSequenceClassifier:
        """Learn from labelled sequences.

        Parameters
        ----------
        {X_of_sequences}
        y : array-like of shape (n_sequences,), or array or sparse matrix of shape (n_sequences, n_classes)
            Their labels: numbers, strings or booleans; or 1 for each label that a sequence has and 0 for the others.
        sample_weight : array-like of shape (n_sequences,), default=None
            Weight of each sequence, not negative; 1 by default. A sequence of weight 0 is left out.
        X_val, y_val : as X and y, default=None
            Sequences and labels for early stopping, instead of a part of X.
        sample_weight_val : array-like of shape (n_sequences_val,), default=None
            Their weights.
        {init_from}

        Returns
        -------
        self : RNNSequenceClassifier
            Fitted. If the loss stops being finite, or Ctrl-C interrupts, then with the best parameters so far, and a
            warning.

        Raises
        ------
        ValueError
            If X, y or a weight is not what it should be, parameters contradict each other, or the loss is not finite
            before an epoch is complete. The estimator is then as it was.
        """
        config = self._with_source(self._read_config(), init_from)
        to_validate = self._passed_to_validate(config, Passed(X_val, y_val, sample_weight_val))
        self._learn(config, Passed(X, y, sample_weight), to_validate)
        return self

    @available_if(BasePoolingEstimator._has_partial_fit)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None) -> RNNSequenceClassifier:
        """Go through the given sequences once, and continue from what was learned before.

        Parameters
        ----------
        {X_of_sequences}
        y : array-like of shape (n_sequences,)
            Their labels.
        {sample_weight}
        classes : array-like of shape (n_classes,), default=None
            All labels that will ever come. Needed at the first call unless y is an indicator matrix, unused after it.

        Returns
        -------
        self : RNNSequenceClassifier
            Fitted.

        Raises
        ------
        ValueError
            As `fit`; if `early_stopping` is set or `class_weight` is "balanced"; if `classes` is missing at the first
            call; if y has a label that is not among them.
        """
        config = self._read_config(is_partial=True)
        if config.class_weight == "balanced":
            raise ValueError(
                "partial_fit does not support class_weight='balanced', since a part of the labels does not tell how "
                "often each class comes. Pass the weights as a dict, class_weight=dict(zip(classes, "
                "compute_class_weight('balanced', classes=classes, y=all_labels))), or pass sample_weight."
            )
        self._learn(config, Passed(X, y, sample_weight), announced=classes)
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Predict the likeliest class of each sequence.

        Parameters
        ----------
        {X_of_sequences}

        Returns
        -------
        y : ndarray of shape (n_sequences,), or (n_sequences, n_classes)
            Labels, in the dtype of ``classes_``; after a fit on an indicator matrix one of zeros and ones: the labels
            of more than even probability.
        """
        fitted = self._check_fitted()
        codes = self._predict_codes(fitted, fitted.reading.to_predict(X))
        return codes if fitted.reading.is_multilabel else fitted.reading.classes[codes]

    def predict_proba(self, X: Any) -> np.ndarray:
        """Predict the probability of each class.

        Parameters
        ----------
        {X_of_sequences}

        Returns
        -------
        proba : ndarray of shape (n_sequences, n_classes)
            In the order of ``classes_``; rows sum to 1, but for several labels, each of which has its own probability.
        """
        return np.exp(self.predict_log_proba(X))

    def predict_proba_steps(self, X: Any) -> np.ndarray:
        """Predict the probability of each class after every step, from the steps up to it.

        Row t is what `predict_proba` gives for the first t + 1 steps, the last row what it gives for the sequence. All
        rows together take little longer than the last one alone.

        Parameters
        ----------
        {X_of_sequences}

        Returns
        -------
        proba : ndarray of shape (n_sequences,), dtype object
            Of arrays (n_steps_i, n_classes), in the order of ``classes_``.

        Raises
        ------
        ValueError
            If the model is bidirectional, and so reads the last step first.

        See Also
        --------
        EarlyClassifier : Decides as soon as a probability is high enough.
        """
        fitted = self._check_fitted()
        if fitted.network.stack.bidirectional:
            raise ValueError(
                "predict_proba_steps needs a model that reads forwards, but this one was fitted with "
                "bidirectional=True, and also reads from the end. Fit it with bidirectional=False."
            )

        def predict(part: Sequences, workspace: Workspace) -> np.ndarray:
            return by_sequence(np.exp(fitted.network.predict_steps(fitted.params, part, workspace)), part)

        return self._in_shards(fitted, predict, fitted.reading.to_predict(X))

    def predict_log_proba(self, X: Any) -> np.ndarray:
        """Predict the logarithm of the probability of each class.

        Parameters
        ----------
        {X_of_sequences}

        Returns
        -------
        log_proba : ndarray of shape (n_sequences, n_classes)
            In the order of ``classes_``, nats; finite where the probability itself would round to 0.
        """
        fitted = self._check_fitted()
        return self._predict_network(fitted, fitted.reading.to_predict(X))

    def decision_function(self, X: Any) -> np.ndarray:
        """Predict the scores from which probabilities are made.

        Parameters
        ----------
        {X_of_sequences}

        Returns
        -------
        scores : ndarray of shape (n_sequences,), or (n_sequences, n_classes)
            With two classes the log-odds of the second; with more a score of each, the largest of the likeliest class;
            with several labels for each sequence the log-odds of each. Nats.
        """
        fitted = self._check_fitted()
        raw = self._in_shards(fitted, partial(fitted.network.predict_raw, fitted.params), fitted.reading.to_predict(X))
        if len(fitted.reading.classes) == 2 and not fitted.reading.is_multilabel:
            return raw[:, 1] - raw[:, 0]
        return raw

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the accuracy: the share of sequences whose predicted class, or all of whose labels, are theirs.

        Parameters
        ----------
        {X_of_sequences}
        y : array-like of shape (n_sequences,)
            Their labels; one that is not among ``classes_`` counts as predicted wrongly.
        {sample_weight}

        Returns
        -------
        accuracy : float
            From 0 to 1.
        """
        fitted = self._check_fitted()
        sequences = fitted.reading.to_predict(X)
        labels = fitted.reading.read_targets(y, sequences)
        check_consistent_length(sequences.lengths, labels)
        weights = check_sample_weight(sample_weight, len(labels))
        is_right = self._predict_codes(fitted, sequences) == labels.find(fitted.reading.classes)
        is_right = is_right.all(axis=1) if fitted.reading.is_multilabel else is_right
        return float(np.average(is_right, weights=weights / weights.max()))  # no scale of the weights overflows

    def _predict_codes(self, fitted: Fitted[LabelledReading], sequences: Sequences) -> np.ndarray:
        """Return the index (n,) of each sequence's class, or which of the labels (n, K) it has."""
        log_proba = self._predict_network(fitted, sequences)
        return (log_proba > -np.log(2)).astype(int) if fitted.reading.is_multilabel else log_proba.argmax(axis=1)

    def __sklearn_tags__(self):  # type: ignore[no-untyped-def]  # the type of the tags is not public
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags

    def _read(
        self, config: ClassifierConfig, passed: Passed, reading: LabelledReading | None, announced: Any
    ) -> tuple[LabelledReading, LabelledSequences]:
        if config.is_partial and reading is None and announced is None and read_indicators(passed.y, "y") is None:
            raise ValueError("classes must be passed on the first call to partial_fit: all labels that will come.")
        if reading is None:
            return LabelledReading.learn(self._make_shape(), config, passed, announced)
        if announced is not None:
            reading.check_same_classes(announced)
        return reading, reading.to_learn(config.class_weight, passed)

    def _read_validation(self, config: ClassifierConfig, passed: Passed, reading: LabelledReading) -> LabelledSequences:
        return reading.to_validate(passed)

    def _network_arguments(
        self, config: ClassifierConfig, reading: LabelledReading, data: Dataset[Sequences]
    ) -> dict[str, Any]:
        return {
            **config.network_arguments(),
            **reading.input.network_arguments(reading.shape),
            "n_classes": len(reading.classes),
            "is_multilabel": reading.is_multilabel,
        }

    def _default_score(
        self, reading: LabelledReading, network: Network, data: Dataset[Sequences]
    ) -> Callable[[np.ndarray], float]:
        workspace, relative = Workspace(reading.dtype), data.weights / data.weights.max()
        if reading.is_multilabel:
            return lambda params: -network.mean_loss(params, data, workspace)

        def score(params: np.ndarray) -> float:
            log_proba = network.predict(params, data.sequences, workspace)
            return float(np.average(log_proba[np.arange(len(data)), data.targets], weights=relative))

        return score
