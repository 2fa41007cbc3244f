"""The token model: from sequences of tokens to what comes next."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from sklearn.base import ClassNamePrefixFeaturesOutMixin, DensityMixin, TransformerMixin
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.metaestimators import available_if

from ._base import BaseRecurrent, Passed
from ._config import NextTokenConfig, as_python
from ._decoding.continuations import continue_prompts
from ._decoding.options import GenerationOptions
from ._documentation import documented
from ._fitted import Fitted
from ._floating_point import without_warnings
from ._parallel.blas import guarded
from ._parallel.sharding import predict_in_shards
from ._streams import TokenStream
from ._token_scores import TokenScores
from ._token_sequences import TokenExamples, TokenReading
from ._validation.values import is_integer, shown
from ._validation.weights import check_sample_weight
from ._vocabulary import Vocabulary
from .core.data.dataset import Dataset
from .core.data.samplers import TruncatedBPTT
from .core.data.sequences import NextTokenSequences
from .core.model.network import Network
from .core.workspace import Workspace


@documented
class RNNNextTokenModel(ClassNamePrefixFeaturesOutMixin, TransformerMixin, DensityMixin, BaseRecurrent[TokenReading]):
    """Recurrent neural network that learns what comes next in sequences of tokens.

    After every token of a sequence the network gives each token of its vocabulary a probability to be the next.
    Trained by maximum likelihood, it scores sequences, finds the surprising places in them, completes and writes them.

    X is a list of sequences of tokens: lists, tuples or arrays of str, int, float or bool; a str is a sequence of its
    characters. A 2-D array or data frame holds rows of as many tokens each. A list of one long sequence is a text:
    ``fit([text])``.

    Parameters
    ----------
    hidden_size : int, default=128
        Number of units of each layer.
    {cell}
    {n_layers}
    {dropout}
    embedding_size : int, "auto" or None, default="auto"
        Length of the vector that is learned for each token; "auto" is `hidden_size`. None has no vectors: a token picks
        a column of the first layer's weights, which is quicker and learns less from a short text.
    tie_weights : bool, default=False
        Whether the vectors of the tokens are also the weights that predict them; needs ``embedding_size=hidden_size``.
    {vocabulary}
    {min_frequency}
    {max_tokens}
    {handle_unknown}
    add_end_token : bool or "auto", default="auto"
        Whether the end of a sequence is predicted like a token, END; "auto" is True except for 2-D X, and for a single
        sequence, which shows one end only.
    bptt_steps : int, default=100
        Longest slice through which the gradient flows back. The state is carried from slice to slice.
    solver : {"adam", "sgd", "rmsprop", "lbfgs"}, default="adam"
        What minimises the loss, the mean over tokens. "lbfgs" uses all sequences at once and suits small data.
    alpha : float, default=1e-4
        Strength of the L2 penalty on weights, not biases or embeddings: ``alpha / 2 * ||W||^2`` divided by the number
        of tokens, or, with weights, by the sum of theirs.
    batch_size : int or "auto", default="auto"
        Sequences of a batch; "auto" is at most 64, and for few long sequences as many as leave 50 updates an epoch.
        A sequence longer than its share of all tokens is cut into parts that are read at the same time. Unused by
        "lbfgs".
    {learning_rate}
    learning_rate_init : float or "auto", default="auto"
        Learning rate at the end of the first epoch, during which it rises in proportion to the tokens read; "auto" is
        0.005 for "gru" and 0.01 for other cells. Unused by "lbfgs".
    {max_iter}
    shuffle : bool, default=True
        Whether sequences are shuffled. A single batch is never shuffled.
    {random_state}
    {tol}
    {verbose}
    warm_start : bool, default=False
        Whether `fit` continues from where the last one ended, with its vocabulary, moments and random state. On the
        same data patience continues, too; other data begin with fresh patience, best scores and learning rate. What the
        weights mean cannot change: `cell`, `hidden_size`, `n_layers`, `embedding_size`, `tie_weights`, `vocabulary`,
        `min_frequency`, `max_tokens`, `add_end_token` and `dtype`.
    {momentum}
    {beta_1}
    {epsilon}
    {max_grad_norm}
    early_stopping : bool, default=False
        Whether to hold out a part of the sequences, or the end of a single one, stop when the score on it stops
        improving, and keep the parameters that had the best one. "lbfgs" has none.
    validation_fraction : float in (0, 1), default=0.1
        Share held out. Unused if `fit` is given `X_val`.
    {n_iter_no_change}
    scoring : "loss", callable or None, default="loss"
        Score for early stopping: "loss" and None are the mean log-probability of the tokens held out, a callable is
        called as ``scorer(estimator, X)``.
    {n_jobs}
    dtype : {"auto", np.float64, np.float32} or names of these, default="auto"
        Of the parameters and of all results; "auto" is float64, float32 is about twice as fast.

    Attributes
    ----------
    classes_ : ndarray of shape (n_tokens,)
        The ordinary tokens, sorted or in the order of `vocabulary`, in the dtype of the data.
    column_tokens_ : ndarray of shape (n_columns,), dtype object
        Token of each column of `predict_proba`: ``classes_``, END if it is modelled, UNKNOWN.
    vocabulary_ : dict of token to int
        Column of each token.
    n_features_in_ : int
        Tokens in a row, or 1 for a column of sequences; only after a fit on 2-D X.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, if X was a data frame.
    {kernels_}
    {n_iter_}
    loss_ : float
        Training loss of the last epoch, nats per token, with the penalty.
    {best_loss_}
    {loss_curve_}
    {validation_scores_}
    {best_validation_score_}
    weights_ : dict of str to ndarray
        Parameters by name, views of one vector: ``rnn.0.W_x`` (n_gates * hidden_size, n_columns + 1), whose last column
        opens a sequence, ``rnn.0.W_h``, ``rnn.0.b``, ..., ``embedding.E``, ``head.W_y``, ``head.b_y``.

    See Also
    --------
    RNNSequenceClassifier : Classifies whole sequences.

    Notes
    -----
    No token has probability zero. Where rare tokens were folded into it, UNKNOWN's probability is learned; otherwise it
    is the constant 1 / (N + V), for N tokens seen and V in the vocabulary, taken from all others. So a sequence with
    unseen tokens has a finite log-likelihood.

    References
    ----------
    Mikolov, Karafiát, Burget, Černocký and Khudanpur, *Recurrent neural network based language model* (2010). Witten
    and Bell, *The zero-frequency problem* (1991), method A: the constant of UNKNOWN.

    Examples
    --------
    >>> from skrnn import RNNNextTokenModel
    >>> X = ["abcabcabc", "bcabcab", "cabcabca"] * 5
    >>> model = RNNNextTokenModel(hidden_size=16, learning_rate_init=0.02, max_iter=40, random_state=0).fit(X)
    >>> model.predict(["ab", "abc"]).tolist()
    ['c', 'a']
    >>> model.generate("ca", max_new_tokens=4, temperature=0)
    'cabcab'
    >>> surprises = -model.token_log_proba(["abcbca"])[0]
    >>> int(surprises.argmax())
    3
    """

    _config_type = NextTokenConfig
    _reading_type = TokenReading
    _build_network = staticmethod(Network.build_for_tokens)
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseRecurrent._parameter_constraints,
        "embedding_size": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"}), None],
        "learning_rate_init": [Interval(Real, 0, np.inf, closed="neither"), StrOptions({"auto"})],
        "tie_weights": ["boolean"],
        "add_end_token": ["boolean", StrOptions({"auto"})],
        "bptt_steps": [Interval(Integral, 1, None, closed="left")],
        "scoring": [StrOptions({"loss"}), callable, None],
    }

    def __init__(
        self,
        hidden_size: int = 128,
        *,
        cell: str = "gru",
        n_layers: int = 1,
        dropout: float = 0.0,
        embedding_size: int | str | None = "auto",
        tie_weights: bool = False,
        vocabulary: Any = None,
        min_frequency: float | None = None,
        max_tokens: int | None = None,
        handle_unknown: str = "use_unknown",
        add_end_token: bool | str = "auto",
        bptt_steps: int = 100,
        solver: str = "adam",
        alpha: float = 1e-4,
        batch_size: int | str = "auto",
        learning_rate: str = "cosine",
        learning_rate_init: float | str = "auto",
        max_iter: int = 10,
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
        n_iter_no_change: int = 10,
        scoring: str | Callable | None = "loss",
        n_jobs: int | None = None,
        dtype: Any = "auto",
    ) -> None:
        self.hidden_size = hidden_size
        self.cell = cell
        self.n_layers = n_layers
        self.dropout = dropout
        self.embedding_size = embedding_size
        self.tie_weights = tie_weights
        self.vocabulary = vocabulary
        self.min_frequency = min_frequency
        self.max_tokens = max_tokens
        self.handle_unknown = handle_unknown
        self.add_end_token = add_end_token
        self.bptt_steps = bptt_steps
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
        self.n_jobs = n_jobs
        self.dtype = dtype

    def fit(self, X: Any, y: None = None, sample_weight: Any = None, *, X_val: Any = None) -> RNNNextTokenModel:
        """Learn the vocabulary, and what comes next.

        Parameters
        ----------
        {X_of_tokens}
        y : None
            Ignored.
        sample_weight : array-like of shape (n_sequences,), default=None
            Weight of each sequence, not negative; 1 by default. A sequence of weight 0 is left out, its tokens too.
        X_val : as X, default=None
            Sequences for early stopping, instead of a part of X.

        Returns
        -------
        self : RNNNextTokenModel
            Fitted. If the loss stops being finite, or Ctrl-C interrupts, then with the best parameters so far, and a
            warning.

        Raises
        ------
        TypeError, ValueError
            If X or a weight is not what it should be, parameters contradict each other, or the loss is not finite
            before an epoch is complete. The estimator is then as it was.
        """
        config = self._read_config()
        config.check_compatible(None if X_val is None else "X_val is")
        self._learn(config, Passed(X, y, sample_weight), None if X_val is None else Passed(X_val))
        return self

    @available_if(BaseRecurrent._has_partial_fit)
    def partial_fit(self, X: Any, y: None = None, sample_weight: Any = None) -> RNNNextTokenModel:
        """Go through the given sequences once, and continue from what was learned before.

        The vocabulary is that of the first call, or the parameter `vocabulary`; what comes later and is not in it is
        learned as UNKNOWN.

        Parameters
        ----------
        {X_of_tokens}
        y : None
            Ignored.
        {sample_weight}

        Returns
        -------
        self : RNNNextTokenModel
            Fitted.

        Raises
        ------
        TypeError, ValueError
            As `fit`; ValueError also if `early_stopping` is set.
        """
        self._learn(self._read_config(is_partial=True), Passed(X, y, sample_weight))
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """Predict the distribution of the token that comes after each sequence.

        Parameters
        ----------
        {X_of_tokens}

        Returns
        -------
        proba : ndarray of shape (n_sequences, n_columns)
            In the order of ``column_tokens_``; rows sum to 1. The whole sequence is what was read; it may be empty.
        """
        fitted = self._check_fitted()
        return np.exp(self._log_proba_after(fitted, self._read_prefixes(fitted, X)))

    def predict(self, X: Any) -> np.ndarray:
        """Predict the likeliest token, or END, after each sequence.

        Parameters
        ----------
        {X_of_tokens}

        Returns
        -------
        tokens : ndarray of shape (n_sequences,)
            Never UNKNOWN; in the dtype of ``classes_``, or object where END is modelled.
        """
        return self.predict_top_k(X, 1)[:, 0]

    def predict_top_k(self, X: Any, k: int) -> np.ndarray:
        """Predict the k likeliest tokens, or END, after each sequence, the likeliest first.

        Parameters
        ----------
        {X_of_tokens}
        k : int
            From 1 to the number of ordinary tokens, plus one if END is modelled.

        Returns
        -------
        tokens : ndarray of shape (n_sequences, k)
            Never UNKNOWN; in the dtype of ``classes_``, or object where END is modelled.

        Raises
        ------
        ValueError
            If k is out of range.
        """
        fitted = self._check_fitted()
        vocabulary = fitted.reading.vocabulary
        n = vocabulary.unknown
        if not is_integer(k, 1) or k > n:
            raise ValueError(
                f"k is {shown(k)}, but there are {n} tokens to choose from. Pass an integer with 1 <= k <= {n}."
            )
        log_proba = self._log_proba_after(fitted, self._read_prefixes(fitted, X))[:, :n]
        codes = np.argsort(-log_proba, axis=1, kind="stable")[:, : int(k)]
        return (vocabulary.column_tokens if vocabulary.has_end else vocabulary.tokens)[codes]

    def score_samples(self, X: Any) -> np.ndarray:
        """Log-likelihood of each sequence.

        Parameters
        ----------
        {X_of_tokens}

        Returns
        -------
        log_likelihood : ndarray of shape (n_sequences,), float64
            Nats; END's included where it is modelled. Low values are anomalies, but also long sequences: divide by
            their lengths to compare.
        """
        return self._log_likelihood(X)[0]

    def score(self, X: Any, y: None = None, sample_weight: Any = None) -> float:
        """Log-probability per predicted token.

        Parameters
        ----------
        {X_of_tokens}
        y : None
            Ignored.
        {sample_weight}

        Returns
        -------
        score : float
            Weighted sum of log-likelihoods divided by that of the numbers of tokens, END included; nats, at most 0,
            higher is better.

        Raises
        ------
        ValueError
            If there is no token to score.
        """
        log_likelihood, lengths = self._log_likelihood(X)
        weights = check_sample_weight(sample_weight, len(lengths))
        n_tokens = float(weights @ lengths)
        if n_tokens == 0:
            raise ValueError("X has no token to score. Pass at least one sequence that is not empty.")
        return float(weights @ log_likelihood) / n_tokens

    @without_warnings
    def perplexity(self, X: Any, sample_weight: Any = None) -> float:
        """Exponential of minus `score`: among how many equally likely tokens the model was undecided.

        Parameters
        ----------
        {X_of_tokens}
        {sample_weight}

        Returns
        -------
        perplexity : float
            At least 1, lower is better; finite with unseen tokens, too.
        """
        return float(np.exp(-self.score(X, sample_weight=sample_weight)))

    def token_log_proba(self, X: Any) -> list[np.ndarray]:
        """Log-probability of every token, given those before it.

        Parameters
        ----------
        {X_of_tokens}

        Returns
        -------
        log_proba : list of ndarray of shape (n_tokens_i,)
            Nats; the last entry is END's where it is modelled. Minus this is the surprise at each place.
        """
        log_proba, lengths = self._measure(TokenScores.token_log_proba, X)
        return np.split(log_proba, np.cumsum(lengths)[:-1])

    def token_rank(self, X: Any) -> list[np.ndarray]:
        """Rank of every token among all that could have come; 1 is the likeliest.

        Parameters
        ----------
        {X_of_tokens}

        Returns
        -------
        rank : list of ndarray of shape (n_tokens_i,), integer
            The last entry is END's where it is modelled.
        """
        ranks, lengths = self._measure(TokenScores.token_rank, X)
        return np.split(ranks, np.cumsum(lengths)[:-1])

    def transform(self, X: Any) -> np.ndarray:
        """State of the top layer after each sequence.

        Parameters
        ----------
        {X_of_tokens}

        Returns
        -------
        state : ndarray of shape (n_sequences, hidden_size)
            Features of the sequences for other estimators.
        """
        return self._read_prefixes(self._check_fitted(), X)

    def generate(
        self,
        prompts: Any = None,
        n_sequences: int = 1,
        *,
        max_new_tokens: int,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float = 1.0,
        min_p: float | None = None,
        repetition_penalty: float = 1.0,
        no_repeat_ngram_size: int = 0,
        stop_tokens: Any = None,
        forbidden_tokens: Any = None,
        num_beams: int = 1,
        return_log_proba: bool = False,
        random_state: int | np.random.RandomState | None = None,
    ) -> Any:
        """Continue prompts, or write sequences from nothing.

        Each step goes through, in this order: repetition penalty, n-gram ban, forbidden tokens, temperature, `top_k`,
        `top_p`, `min_p`. By default all are off, and tokens are sampled from the predicted distribution.

        Parameters
        ----------
        prompts : str, list of sequences of tokens, or None, default=None
            What to continue; a str is one prompt, anything else a list of them. None begins with nothing.
        n_sequences : int, default=1
            Number of continuations of each prompt.
        max_new_tokens : int
            Largest number of tokens to add, at least 1; a sequence also stops at its END.
        temperature : float, default=1.0
            Divides log-probabilities: below 1 likely tokens become likelier, above 1 less likely; 0 always takes the
            likeliest token.
        top_k : int or None, default=None
            Draw from the k likeliest tokens only.
        top_p : float in (0, 1], default=1.0
            Draw from the fewest likeliest tokens that have this probability together (Holtzman et al., 2020).
        min_p : float in [0, 1] or None, default=None
            Draw from tokens with at least this share of the likeliest one's probability only.
        repetition_penalty : float, default=1.0
            Multiplies the log-probabilities of tokens that were there before, prompt included: above 1 they become less
            likely (after Keskar et al., 2019).
        no_repeat_ngram_size : int, default=0
            No n-gram of this size comes twice, prompt included; 0 turns that off.
        stop_tokens : sequence of tokens, default=None
            A sequence stops after one of these, which it keeps.
        forbidden_tokens : sequence of tokens, default=None
            Never written; END may be among them.
        num_beams : int, default=1
            Above 1, look for the likeliest sequence with that many candidates, and draw nothing.
        return_log_proba : bool, default=False
            Whether to return the log-probabilities, too.
        random_state : int, RandomState instance or None, default=None
            Seed of the draws: an int gives the same text at every call.

        Returns
        -------
        sequences : list, or str for a str as prompt and ``n_sequences=1``
            ``len(prompts) * n_sequences`` items, the continuations of a prompt behind each other. Each is the prompt
            and what comes after it, in the type of the prompt, without END.
        log_proba : ndarray of shape (n_items,)
            Only with `return_log_proba`: the model's own log-probability of what was added, END included, before any
            filter; nats.

        Raises
        ------
        ValueError
            If a parameter is out of range, a token is not in the vocabulary, sampling options are given with
            ``num_beams > 1``, or the filters leave no token.
        """
        fitted = self._check_fitted()
        options = GenerationOptions.read(
            fitted.reading.vocabulary,
            n_sequences=n_sequences,
            max_new_tokens=max_new_tokens,
            temperature=temperature,
            top_k=top_k,
            top_p=top_p,
            min_p=min_p,
            repetition_penalty=repetition_penalty,
            no_repeat_ngram_size=no_repeat_ngram_size,
            stop_tokens=stop_tokens,
            forbidden_tokens=forbidden_tokens,
            num_beams=num_beams,
        )
        items, data = fitted.reading.to_extend(prompts, self.handle_unknown)
        scores = fitted.reading.scores(fitted.network)
        found, log_proba = continue_prompts(scores, fitted.params, data, options, random_state)
        written = fitted.reading.extend(items, found, options.n_sequences)
        result = written[0] if isinstance(prompts, str) and options.n_sequences == 1 else written
        return (result, log_proba) if return_log_proba else result

    def start(self, max_streams: int | None = None) -> TokenStream:
        """Begin to read sequences that arrive token by token.

        Parameters
        ----------
        max_streams : int, default=None
            How many sequences can be open at a time; no limit by default.

        Returns
        -------
        stream : TokenStream
            Its ``update({key: token})`` reads the next token of some sequences, and returns how surprising it was.
        """
        return TokenStream(self, self._check_fitted(), max_streams)

    @property
    def classes_(self) -> np.ndarray:
        """The ordinary tokens, sorted, in the dtype of the data."""
        return self._fitted_vocabulary("classes_").tokens

    @property
    def column_tokens_(self) -> np.ndarray:
        """Token of each column of `predict_proba`: ``classes_``, END if it is modelled, UNKNOWN."""
        return self._fitted_vocabulary("column_tokens_").column_tokens

    @property
    def vocabulary_(self) -> dict[Any, int]:
        """Column of each token."""
        return {token: column for column, token in enumerate(self._fitted_vocabulary("vocabulary_").column_tokens)}

    @property
    def _n_features_out(self) -> int:
        return self._check_fitted().built.head.n_inputs

    def __sklearn_tags__(self):  # type: ignore[no-untyped-def]  # the type of the tags is not public
        tags = super().__sklearn_tags__()
        tags.input_tags.categorical = True
        return tags

    def _fitted_vocabulary(self, name: str) -> Vocabulary:
        if not self.__sklearn_is_fitted__():
            raise AttributeError(f"{type(self).__name__} has no {name} before it is fitted.")
        return self._fitted.reading.vocabulary

    def _read(
        self, config: NextTokenConfig, passed: Passed, reading: TokenReading | None, announced: Any
    ) -> tuple[TokenReading, TokenExamples]:
        if reading is None:
            return TokenReading.learn(self._make_shape(), config, passed)
        return reading, reading.to_learn(config, passed)

    def _read_validation(self, config: NextTokenConfig, passed: Passed, reading: TokenReading) -> TokenExamples:
        return reading.to_validate(config, passed)

    def _resolve(self, config: NextTokenConfig, reading: TokenReading) -> NextTokenConfig:
        return config.with_end_token(reading.vocabulary.has_end)

    def _network_arguments(
        self, config: NextTokenConfig, reading: TokenReading, data: Dataset[NextTokenSequences]
    ) -> dict[str, Any]:
        return {
            "cell": config.cell,
            "n_inputs": reading.vocabulary.begin + 1,
            "hidden_size": config.hidden_size,
            "n_outputs": reading.vocabulary.n_outputs,
            "n_layers": config.n_layers,
            "dropout": config.dropout,
            "embedding_size": config.embedding_size,
            "tie_weights": config.tie_weights,
        }

    def _initialize(
        self, config: Any, reading: TokenReading, network: Network, params: np.ndarray, data: Dataset
    ) -> dict[str, Any]:
        """Let a token that training never shows say nothing, where its random weights would say anything."""
        if reading.vocabulary.learns_unknown:
            return {}
        weights, unknown = network.layout.views(params), reading.vocabulary.unknown
        if "embedding" in weights:
            weights["embedding"]["E"][unknown] = 0
        else:
            weights["rnn.0"]["W_x"][:, unknown] = 0
        return {}

    def _make_sampler(self, config: NextTokenConfig) -> TruncatedBPTT:
        return TruncatedBPTT(config.bptt_steps)

    def _default_score(
        self, reading: TokenReading, network: Network, data: Dataset[NextTokenSequences]
    ) -> Callable[[np.ndarray], float]:
        workspace, scores = Workspace(reading.dtype), reading.scores(network)

        def score(params: np.ndarray) -> float:
            log_likelihood = scores.log_likelihood(params, data.sequences, workspace)
            return float(data.weights @ log_likelihood / data.total_weight)

        return score

    def _log_likelihood(self, X: Any) -> tuple[np.ndarray, np.ndarray]:
        """Log-likelihood of each sequence, and of how many steps it is the sum."""
        fitted = self._check_fitted()
        data = fitted.reading.to_score(X, self.handle_unknown)
        predict = partial(fitted.reading.scores(fitted.network).log_likelihood, fitted.params)
        n_jobs, hidden_size = as_python(self.n_jobs), fitted.network.head.n_inputs
        return predict_in_shards(predict, data, hidden_size, fitted.params.dtype, n_jobs), data.lengths

    def _measure(
        self, measure: Callable[[TokenScores, np.ndarray, NextTokenSequences, Workspace], np.ndarray], X: Any
    ) -> tuple[np.ndarray, np.ndarray]:
        """What a method of `TokenScores` gives for the steps that predict X, and how many they are in each sequence."""
        fitted = self._check_fitted()
        data = fitted.reading.to_score(X, self.handle_unknown)
        scores, workspace = fitted.reading.scores(fitted.network), Workspace(fitted.params.dtype)
        return guarded(measure, scores, fitted.params, data, workspace), data.lengths

    def _read_prefixes(self, fitted: Fitted[TokenReading], X: Any) -> np.ndarray:
        """Output (n, H) of the top layer after each whole sequence."""
        data = fitted.reading.to_continue(X, self.handle_unknown)
        scores, workspace = fitted.reading.scores(fitted.network), Workspace(fitted.params.dtype)
        h, _ = guarded(scores.read, fitted.params, data, workspace)
        return h

    def _log_proba_after(self, fitted: Fitted[TokenReading], h: np.ndarray) -> np.ndarray:
        """Log-probabilities (n, K) of what comes after each sequence, from outputs of the top layer."""
        return fitted.reading.scores(fitted.network).log_proba_after(fitted.params, h)
