"""The regressor: from sequences and numbers to a network that predicts them."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Real
from typing import Any, ClassVar

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score
from sklearn.utils._param_validation import Interval, StrOptions  # as in _base.py
from sklearn.utils.metaestimators import available_if

from ._base import Passed
from ._base_sequences import BasePoolingEstimator
from ._config import RegressorConfig
from ._documentation import documented
from ._fitted import Fitted
from ._numbered_sequences import NumberedSequences, NumberReading
from .core.data.dataset import Dataset
from .core.data.sequences import Sequences
from .core.model.losses import LOSSES
from .core.model.network import Network
from .core.workspace import Workspace


@documented
class RNNSequenceRegressor(RegressorMixin, BasePoolingEstimator[NumberReading]):
    """Recurrent neural network that predicts numbers, of whole sequences or of each of their steps.

    The network reads a sequence step by step. For a number of the whole sequence it pools its states over the steps;
    for numbers of each step it predicts from the state there, and with `bidirectional` from what follows, too. It
    minimises the loss by backpropagation through time, with sequences of any lengths and no padding.

    One sample is one sequence: X is a list of arrays of shape (n_steps_i, n_features), an array of shape
    (n_sequences, n_steps, n_features), or, for sequences of single numbers, one of shape (n_sequences, n_steps).
    Scale X first, for example with :class:`skrnn.preprocessing.SequenceScaler`; y is centred and scaled inside.

    Parameters
    ----------
    hidden_size : int, default=64
        Number of units of each layer and direction.
    loss : {"squared_error", "absolute_error", "huber", "poisson", "quantile", "gaussian"}, default="squared_error"
        What is minimised: half the squared error, which is least at the mean; the absolute error, at the median;
        "huber", squared up to `huber_delta` and linear beyond; half the Poisson deviance, for counts, with a
        logarithmic link; the pinball loss, at a `quantile`; or minus the log-likelihood of a normal distribution,
        whose mean and standard deviation are predicted.
    huber_delta : float, default=1.35
        Where "huber" becomes linear, in standard deviations of y.
    quantile : float in (0, 1) or None, default=None
        Which "quantile" is predicted; needed for that loss, unused by others.
    {cell}
    {n_layers}
    {bidirectional}
    pooling : {"last", "mean", "max"}, default="last"
        What of the top layer's states predicts a number of the whole sequence: the last one of each direction, or the
        mean or the maximum over all steps. Unused for numbers of each step.
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
    tol : float, default=1e-4
        Least improvement of the training loss, or of the validation score, that counts; of "loss" for y divided by its
        standard deviation. For "lbfgs" the largest entry of the gradient at which to stop.
    {verbose}
    warm_start : bool, default=False
        Whether `fit` continues from where the last one ended, with its moments and random state, and with the center
        and scale of y. What the weights mean cannot change: `cell`, `hidden_size`, `n_layers`, `bidirectional`,
        `pooling`, `loss`, `huber_delta` and `quantile`.
    {momentum}
    {beta_1}
    {epsilon}
    {max_grad_norm}
    {early_stopping}
    {validation_fraction}
    {n_iter_no_change}
    scoring : str, callable or None, default="loss"
        Score for early stopping: "loss" is minus the mean loss on the sequences held out; else any scorer of
        scikit-learn, called as ``scorer(estimator, X, y)``; None is R2.
    {recompute}
    {bptt_steps}
    {n_jobs}
    {dtype}

    Attributes
    ----------
    n_outputs_ : int
        Numbers of a target.
    {n_inputs_}
    {vocabulary_}
    {categories_}
    {n_features_in_}
    {feature_names_in_}
    {initial_timescale_}
    {kernels_}
    {n_iter_}
    loss_ : float
        Training loss of the last epoch per target, with the penalty, in units of y: its square for "squared_error" and
        "huber"; nats for "gaussian".
    {best_loss_}
    {loss_curve_}
    {validation_scores_}
    {best_validation_score_}
    weights_ : dict of str to ndarray
        Parameters by name, views of one vector, as :class:`RNNSequenceClassifier` has them. ``head.W_y`` and
        ``head.b_y`` predict y minus its center, divided by its scale.

    See Also
    --------
    RNNSequenceClassifier : For labels.
    skrnn.sequences.to_forecasting : Makes a y of the next values.
    sklearn.neural_network.MLPRegressor : For samples without an order in them.

    Notes
    -----
    Several numbers of a target count alike: each is divided by its own standard deviation. Where all have the same one,
    the loss is that of MLPRegressor.

    float32 is used if all of X is float32 at the first fit, else float64.

    References
    ----------
    The equations of the losses, with their sources, are in :mod:`skrnn.core.model.losses`.

    Examples
    --------
    The sum of a sequence, and the sum so far after each step:

    >>> import numpy as np
    >>> from skrnn import RNNSequenceRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = [rng.standard_normal(rng.integers(3, 9)) for _ in range(200)]
    >>> model = RNNSequenceRegressor(random_state=0).fit(X, [x.sum() for x in X])
    >>> model.predict([[1.0, 1.0, 0.5]]).round()
    array([3.])
    >>> model.fit(X, [np.cumsum(x) for x in X]).predict([[1.0, 1.0, 1.0]])[0].round()
    array([1., 2., 3.])
    """

    _config_type = RegressorConfig
    _reading_type = NumberReading
    _build_network = staticmethod(Network.build_for_numbers)
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BasePoolingEstimator._parameter_constraints,
        "loss": [StrOptions(set(LOSSES))],
        "huber_delta": [Interval(Real, 0, None, closed="neither")],
        "quantile": [Interval(Real, 0, 1, closed="neither"), None],
    }

    def __init__(
        self,
        hidden_size: int = 64,
        *,
        loss: str = "squared_error",
        huber_delta: float = 1.35,
        quantile: float | None = None,
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
        recompute: bool | str = "auto",
        bptt_steps: int | None = None,
        n_jobs: int | None = None,
        dtype: Any = "auto",
    ) -> None:
        self.hidden_size = hidden_size
        self.loss = loss
        self.huber_delta = huber_delta
        self.quantile = quantile
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
    ) -> RNNSequenceRegressor:
        """Learn from sequences and numbers.

        Parameters
        ----------
        {X_of_sequences}
        y : array-like, or list of array-like
            Their numbers: one, or a row, for each sequence, of shape (n_sequences,) or (n_sequences, n_outputs); or for
            each of its steps, a list of shapes (n_steps_i,) or (n_steps_i, n_outputs). A list of lists that are as long
            as the sequences has them for each step; pass an array otherwise.
        sample_weight : array-like of shape (n_sequences,), default=None
            Weight of each sequence, and of each of its steps, not negative; 1 by default. 0 leaves a sequence out.
        X_val, y_val : as X and y, default=None
            Sequences and numbers for early stopping, instead of a part of X.
        sample_weight_val : array-like of shape (n_sequences_val,), default=None
            Their weights.
        {init_from}

        Returns
        -------
        self : RNNSequenceRegressor
            Fitted. If the loss stops being finite, or Ctrl-C interrupts, then with the best parameters so far, and a
            warning.

        Raises
        ------
        ValueError
            If X, y or a weight is not what it should be, y is negative for "poisson", parameters contradict each other,
            or the loss is not finite before an epoch is complete. The estimator is then as it was.
        """
        config = self._with_source(self._read_config(), init_from)
        to_validate = self._passed_to_validate(config, Passed(X_val, y_val, sample_weight_val))
        self._learn(config, Passed(X, y, sample_weight), to_validate)
        return self

    @available_if(BasePoolingEstimator._has_partial_fit)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> RNNSequenceRegressor:
        """Go through the given sequences once, and continue from what was learned before.

        Parameters
        ----------
        {X_of_sequences}
        y : as in `fit`
            Their numbers. Those of the first call say by how much all are centred and scaled.
        {sample_weight}

        Returns
        -------
        self : RNNSequenceRegressor
            Fitted.

        Raises
        ------
        ValueError
            As `fit`; if `early_stopping` is set; if y has another shape than at the first call.
        """
        self._learn(self._read_config(is_partial=True), Passed(X, y, sample_weight))
        return self

    def predict(self, X: Any, return_std: bool = False) -> np.ndarray | tuple[np.ndarray, np.ndarray]:
        """Predict the numbers of each sequence, or of each of its steps.

        Parameters
        ----------
        {X_of_sequences}
        return_std : bool, default=False
            Whether to return the standard deviation, too; with loss="gaussian" only.

        Returns
        -------
        y : ndarray of shape (n_sequences,) or (n_sequences, n_outputs)
            In the shape of the y of `fit`; with numbers for each step an object array (n_sequences,) of arrays
            (n_steps_i,) or (n_steps_i, n_outputs).
        y_std : ndarray of the same shape
            Standard deviation of the predicted distribution, if asked for.

        Raises
        ------
        ValueError
            If `return_std` is set, and the loss is another one.
        """
        fitted = self._check_fitted()
        n = fitted.reading.n_outputs
        has_std = fitted.network.loss.n_raw > n
        if return_std and not has_std:
            raise ValueError(
                f"return_std=True needs a model of loss='gaussian', but this one was fitted with "
                f"loss={fitted.arguments['loss']!r}."
            )
        predicted = self._predict_network(fitted, fitted.reading.to_predict(X))
        mean = fitted.reading.in_shape(predicted, slice(0, n))
        return (mean, fitted.reading.in_shape(predicted, slice(n, 2 * n))) if return_std else mean

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return R2, the coefficient of determination, over all sequences or over all of their steps.

        Parameters
        ----------
        {X_of_sequences}
        y : as in `fit`
            Their numbers.
        sample_weight : array-like of shape (n_sequences,), default=None
            Weight of each sequence, and of each of its steps, not negative; 1 by default.

        Returns
        -------
        r2 : float
            At most 1; the mean over the numbers of a target. See :func:`sklearn.metrics.r2_score`.
        """
        fitted = self._check_fitted()
        sequences = fitted.reading.to_predict(X)
        targets, weights = fitted.reading.to_score(sequences, y, sample_weight)
        predicted = self._predict_network(fitted, sequences)
        rows = np.concatenate(predicted) if fitted.reading.is_per_step else predicted
        both = map(fitted.reading.standardised, (targets, rows[:, : fitted.reading.n_outputs]))  # no square overflows,
        return float(r2_score(*both, sample_weight=weights / weights.max()))  # nor does a sum of weights

    def __sklearn_tags__(self):  # type: ignore[no-untyped-def]  # the type of the tags is not public
        tags = super().__sklearn_tags__()
        is_of_counts = vars(self).get("loss") == "poisson"  # a reading's shape has no parameters
        tags.target_tags.multi_output = not is_of_counts  # whose check passes negative numbers
        tags.target_tags.positive_only = is_of_counts
        return tags

    def _told_of_steps(self, fitted: Fitted[NumberReading], predicted: np.ndarray) -> np.ndarray:
        return fitted.reading.rows_in_shape(predicted, slice(0, fitted.reading.n_outputs))

    def _read(
        self, config: RegressorConfig, passed: Passed, reading: NumberReading | None, announced: Any
    ) -> tuple[NumberReading, NumberedSequences]:
        if reading is None:
            return NumberReading.learn(self._make_shape(), config, passed)
        return reading, reading.to_learn(config, passed)

    def _read_validation(self, config: RegressorConfig, passed: Passed, reading: NumberReading) -> NumberedSequences:
        return reading.to_validate(config, passed)

    def _network_arguments(
        self, config: RegressorConfig, reading: NumberReading, data: Dataset[Sequences]
    ) -> dict[str, Any]:
        return {
            **config.network_arguments(),
            **reading.input.network_arguments(reading.shape),
            "n_outputs": reading.n_outputs,
            "loss": config.loss,
            "center": reading.center,
            "scale": reading.scale,
            "delta": config.huber_delta,
            "quantile": config.quantile,
            "per_step": reading.is_per_step,
        }

    def _initialize(
        self, config: Any, reading: NumberReading, network: Network, params: np.ndarray, data: Dataset[Sequences]
    ) -> dict[str, Any]:
        """Begin at the best constant prediction."""
        network.begin_at(params, data)
        return super()._initialize(config, reading, network, params, data)

    def _default_score(
        self, reading: NumberReading, network: Network, data: Dataset[Sequences]
    ) -> Callable[[np.ndarray], float]:
        workspace = Workspace(reading.dtype)
        return lambda params: -network.mean_loss(params, data, workspace)
