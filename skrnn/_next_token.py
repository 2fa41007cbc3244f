"""The token model: from sequences of tokens to what comes next."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Set
from dataclasses import dataclass, replace
from functools import partial
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, DensityMixin, TransformerMixin
from sklearn.utils._param_validation import Interval, Options, RealNotInt, StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from ._base import (
    TRAINING_CONSTRAINTS,
    check_compatible_parameters,
    check_sample_weight,
    is_stochastic,
    named_weights,
    set_fitted,
    unchanged_on_error,
    warn_caller,
)
from ._config import FitConfig, as_python
from ._generation import Generator, is_integer
from ._hold_out import Validation, hold_out, scored_by
from ._parallel.blas import guarded
from ._parallel.sharding import predict_in_shards
from ._run import begin_training, continue_training, run_training, warn_of
from ._streams import TokenStream
from ._token_scores import TokenScores
from ._validation.tokens import TokenReader, append_tokens, read_prompts, read_sequences, read_tokens
from ._validation.values import as_list, shown, shown_all
from ._vocabulary import Vocabulary, count_equal, count_tokens, frequent_tokens, make_vocabulary
from .core.batches import TokenSequences
from .core.dataset import Dataset
from .core.network import Network
from .core.samplers import TruncatedBPTT
from .core.workspace import Workspace


@dataclass(frozen=True)
class NextTokenConfig(FitConfig):
    """The parameters of `RNNNextTokenModel`."""

    LASTING = (
        *FitConfig.LASTING,
        "embedding_size",
        "tie_weights",
        "min_frequency",
        "max_tokens",
        "add_end_token",
        "dtype",
    )

    bptt_steps: int
    embedding_size: int | None
    tie_weights: bool
    min_frequency: float | None
    max_tokens: int | None
    add_end_token: bool | str
    dtype: str

    @classmethod
    def read(cls, estimator: BaseEstimator, is_partial: bool = False) -> NextTokenConfig:
        """Return the parameters of `estimator`, with one name for each scoring and dtype; raises if one is wrong."""
        config = super().read(estimator, is_partial)
        dtype = np.dtype(config.dtype).name  # the same for every byte order
        if dtype not in ("float64", "float32"):
            raise ValueError(f"dtype is {config.dtype!r}. Pass np.float64 or np.float32, or their names.")
        if config.tie_weights and config.embedding_size != config.hidden_size:
            raise ValueError(
                f"tie_weights=True needs embedding_size={config.hidden_size}, that of hidden_size, got "
                f"{config.embedding_size}."
            )
        return replace(config, scoring="loss" if config.scoring is None else config.scoring, dtype=dtype)


class RNNNextTokenModel(ClassNamePrefixFeaturesOutMixin, TransformerMixin, DensityMixin, BaseEstimator):
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
    cell : {"gru", "lstm", "tanh", "relu"}, default="gru"
        Gated recurrent unit; long short-term memory; Elman's cell with tanh, or with relu and identity initialisation.
    n_layers : int, default=1
        Number of recurrent layers on top of each other.
    dropout : float in [0, 1), default=0.0
        Probability with which an output of a layer is dropped in training: one mask for all steps of a sequence
        (Gal and Ghahramani, 2016), after every layer.
    embedding_size : int or None, default=None
        Length of the vector that is learned for each token; without one a token picks a column of the first layer's
        weights.
    tie_weights : bool, default=False
        Whether the vectors of the tokens are also the weights that predict them; needs ``embedding_size=hidden_size``.
    min_frequency : int, float in (0, 1) or None, default=None
        Tokens that are rarer, as a count or as a share of all tokens, are learned as one, UNKNOWN.
    max_tokens : int or None, default=None
        Largest number of tokens in the vocabulary; the rarer ones are learned as UNKNOWN.
    handle_unknown : {"use_unknown", "error"}, default="use_unknown"
        What to do with a token that is not in the vocabulary: read it as UNKNOWN, or raise. With "error" tokens that
        `min_frequency` or `max_tokens` left out are still UNKNOWN.
    add_end_token : bool or "auto", default="auto"
        Whether the end of a sequence is predicted like a token, END; "auto" is True except for 2-D X.
    bptt_steps : int, default=100
        Longest piece through which the gradient flows back. The state is carried from piece to piece.
    solver : {"adam", "sgd", "rmsprop", "lbfgs"}, default="adam"
        What minimises the loss, the mean over tokens. "lbfgs" uses all sequences at once and suits small data.
    alpha : float, default=1e-4
        Strength of the L2 penalty on weights, not biases or embeddings: ``alpha / 2 * ||W||^2`` divided by the number
        of tokens, or, with weights, by the sum of theirs.
    batch_size : int or "auto", default="auto"
        Sequences side by side; "auto" is at most 64, and for few long sequences as many as leave 50 updates an epoch.
        A sequence longer than its share of all tokens is cut into parts that are read side by side. Unused by "lbfgs".
    learning_rate : {"constant", "adaptive", "cosine"}, default="cosine"
        "cosine" lets the rate fall to 0 over `max_iter` epochs; `partial_fit`, which knows no last epoch, keeps it.
        "adaptive" divides it by 5 whenever the score stops improving, and stops below 1e-6. Unused by "lbfgs".
    learning_rate_init : float, default=0.01
        Learning rate of the first epoch. Unused by "lbfgs".
    max_iter : int, default=10
        Largest number of epochs, passes over the sequences; of iterations for "lbfgs".
    shuffle : bool, default=True
        Whether sequences are dealt at random. A single batch is never shuffled.
    random_state : int, RandomState instance or None, default=None
        Seed of the initial parameters, the batches, dropout and the validation split: an int gives the same model at
        every fit.
    tol : float, default=1e-4
        Least improvement of the training loss, or of the validation score, that counts. For "lbfgs" the largest entry
        of the gradient at which to stop.
    verbose : bool or int, default=False
        Print where training is: 1 now and then, 2 at every epoch.
    warm_start : bool, default=False
        Whether `fit` goes on from where the last one ended, with its vocabulary, moments and random state. On the same
        data patience goes on, too; other data begin with fresh patience, best scores and learning rate. What the
        weights mean cannot change: `cell`, `hidden_size`, `n_layers`, `embedding_size`, `tie_weights`, `min_frequency`,
        `max_tokens`, `add_end_token` and `dtype`.
    momentum, nesterovs_momentum : float in [0, 1), bool, default=0.9, True
        Momentum of "sgd", and whether it is Nesterov's.
    beta_1, beta_2 : float in [0, 1), default=0.9, 0.999
        Decay of Adam's moments.
    epsilon : float, default=1e-8
        Added to the root of the mean square by "adam" and "rmsprop".
    max_grad_norm : float or None, default=1.0
        Longer gradients are shortened to this norm; None turns that off. Unused by "lbfgs".
    early_stopping : bool, default=False
        Whether to hold out a part of the sequences, or the end of a single one, stop when the score on it stops
        improving, and keep the parameters that had the best one. "lbfgs" has none.
    validation_fraction : float in (0, 1), default=0.1
        Share held out. Unused if `fit` is given `X_val`.
    n_iter_no_change : int or inf, default=10
        Epochs in a row without improvement by `tol` after which training stops.
    scoring : "loss", callable or None, default="loss"
        Score for early stopping: "loss" and None are the mean log-probability of the tokens held out, a callable is
        called as ``scorer(estimator, X)``.
    n_jobs : int or None, default=None
        Threads for large batches, at most one for each CPU. None uses as many as BLAS may use at this moment, so that
        ``threadpool_limits``, ``OMP_NUM_THREADS`` and the nesting of joblib hold. Results depend on the number of
        threads in the last bits.
    dtype : {np.float64, np.float32} or their names, default=np.float64
        Of the parameters and of all results; float32 is about twice as fast.

    Attributes
    ----------
    classes_ : ndarray of shape (n_tokens,)
        The ordinary tokens, sorted, in the dtype of the data.
    column_tokens_ : ndarray of shape (n_columns,), dtype object
        Token of each column of `predict_proba`: ``classes_``, END if it is modelled, UNKNOWN.
    vocabulary_ : dict of token to int
        Column of each token.
    n_features_in_ : int
        Tokens in a row; only after a fit on 2-D X.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, if X was a data frame.
    n_iter_ : int
        Number of epochs, those of warm starts and calls of `partial_fit` included.
    loss_ : float
        Training loss of the last epoch, nats per token, with the penalty.
    best_loss_ : float or None
        Least training loss on the data of the last fit; None with early stopping.
    loss_curve_ : list of float
        Training loss of each epoch.
    validation_scores_ : list of float or None
        Score of each epoch on what was held out, higher is better; None without early stopping.
    best_validation_score_ : float or None
        The highest of them.
    weights_ : dict of str to ndarray
        Parameters by name, views of one vector: ``rnn.0.W_x`` (n_gates * hidden_size, n_columns + 1), whose last column
        opens a sequence, ``rnn.0.W_h``, ``rnn.0.b``, ..., ``embedding.E``, ``head.W_y``, ``head.b_y``.

    See Also
    --------
    RNNSequenceClassifier : Puts whole sequences into classes.

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

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **TRAINING_CONSTRAINTS,
        "embedding_size": [Interval(Integral, 1, None, closed="left"), None],
        "tie_weights": ["boolean"],
        "min_frequency": [
            Interval(Integral, 1, None, closed="left"),
            Interval(RealNotInt, 0, 1, closed="neither"),
            None,
        ],
        "max_tokens": [Interval(Integral, 1, None, closed="left"), None],
        "handle_unknown": [StrOptions({"use_unknown", "error"})],
        "add_end_token": ["boolean", StrOptions({"auto"})],
        "bptt_steps": [Interval(Integral, 1, None, closed="left")],
        "scoring": [StrOptions({"loss"}), callable, None],
        "dtype": [Options(type, {np.float64, np.float32}), StrOptions({"float64", "float32"}), np.dtype],
    }

    def __init__(
        self,
        hidden_size: int = 128,
        *,
        cell: str = "gru",
        n_layers: int = 1,
        dropout: float = 0.0,
        embedding_size: int | None = None,
        tie_weights: bool = False,
        min_frequency: float | None = None,
        max_tokens: int | None = None,
        handle_unknown: str = "use_unknown",
        add_end_token: bool | str = "auto",
        bptt_steps: int = 100,
        solver: str = "adam",
        alpha: float = 1e-4,
        batch_size: int | str = "auto",
        learning_rate: str = "cosine",
        learning_rate_init: float = 1e-2,
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
        dtype: Any = np.float64,
    ) -> None:
        self.hidden_size = hidden_size
        self.cell = cell
        self.n_layers = n_layers
        self.dropout = dropout
        self.embedding_size = embedding_size
        self.tie_weights = tie_weights
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
        X : list of sequences of tokens, or array-like of shape (n_sequences, n_tokens)
            The sequences, see the class.
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
        config = NextTokenConfig.read(self)
        check_compatible_parameters(config, None if X_val is None else "X_val is")
        with unchanged_on_error(self):
            is_continuing = self.warm_start and hasattr(self, "_training")
            sequences, weights = self._read_training_data(X, sample_weight, reset=not is_continuing)
            if not is_continuing:
                self._learn_vocabulary(config, sequences, weights)
            problem = self._train(config, sequences, weights, is_continuing, X_val)
            warn_of(problem)
        return self

    @available_if(is_stochastic)
    def partial_fit(self, X: Any, y: None = None, sample_weight: Any = None, tokens: Any = None) -> RNNNextTokenModel:
        """Go through the given sequences once, going on from what was learned before.

        The vocabulary is that of the first call; what comes later and is not in it is learned as UNKNOWN.

        Parameters
        ----------
        X : list of sequences of tokens, or array-like of shape (n_sequences, n_tokens)
            The sequences, see the class.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_sequences,), default=None
            Weight of each sequence, not negative; 1 by default.
        tokens : sequence of tokens, default=None
            All ordinary tokens that will ever come, for the first call; by default those of its X.

        Returns
        -------
        self : RNNNextTokenModel
            Fitted.

        Raises
        ------
        TypeError, ValueError
            As `fit`; ValueError also if `early_stopping` is set.
        """
        config = NextTokenConfig.read(self, is_partial=True)
        if self.early_stopping:
            raise ValueError("partial_fit does not support early_stopping=True. Use fit, or early_stopping=False.")
        with unchanged_on_error(self):
            is_continuing = hasattr(self, "_training")
            if is_continuing and tokens is not None and self._distinct(tokens) != self.classes_.tolist():
                raise ValueError("tokens is not the same as on the first call to partial_fit. Leave it out.")
            sequences, weights = self._read_training_data(X, sample_weight, reset=not is_continuing)
            if not is_continuing:
                self._learn_vocabulary(config, sequences, weights, tokens=tokens)
            problem = self._train(config, sequences, weights, is_continuing)
            warn_of(problem)
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """Predict the distribution of the token that comes after each sequence.

        Parameters
        ----------
        X : list of sequences of tokens, or array-like of shape (n_sequences, n_tokens)
            The sequences, see the class.

        Returns
        -------
        proba : ndarray of shape (n_sequences, n_columns)
            In the order of ``column_tokens_``; rows sum to 1. The whole sequence is what was read; it may be empty.
        """
        check_is_fitted(self)
        return np.exp(self._log_proba_after(X))

    def predict(self, X: Any) -> np.ndarray:
        """Predict the likeliest token, or END, after each sequence.

        Parameters
        ----------
        X : list of sequences of tokens, or array-like of shape (n_sequences, n_tokens)
            The sequences, see the class.

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
        X : list of sequences of tokens, or array-like of shape (n_sequences, n_tokens)
            The sequences, see the class.
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
        check_is_fitted(self)
        n = self._vocabulary.unknown
        if not is_integer(k, 1) or k > n:
            raise ValueError(
                f"k is {shown(k)}, but there are {n} tokens to choose from. Pass an integer with 1 <= k <= {n}."
            )
        log_proba = self._log_proba_after(X)[:, :n]
        codes = np.argsort(-log_proba, axis=1, kind="stable")[:, : int(k)]
        return (self._vocabulary.column_tokens if self._vocabulary.has_end else self.classes_)[codes]

    def score_samples(self, X: Any) -> np.ndarray:
        """Log-likelihood of each sequence.

        Parameters
        ----------
        X : list of sequences of tokens, or array-like of shape (n_sequences, n_tokens)
            The sequences, see the class.

        Returns
        -------
        log_likelihood : ndarray of shape (n_sequences,), float64
            Nats; END's included where it is modelled. Low values are anomalies, but also long sequences: divide by
            their lengths to compare.
        """
        check_is_fitted(self)
        return self._log_likelihood(X)[0]

    def score(self, X: Any, y: None = None, sample_weight: Any = None) -> float:
        """Log-probability per predicted token.

        Parameters
        ----------
        X : list of sequences of tokens, or array-like of shape (n_sequences, n_tokens)
            The sequences, see the class.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_sequences,), default=None
            Weight of each sequence.

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
        check_is_fitted(self)
        log_likelihood, lengths = self._log_likelihood(X)
        weights = check_sample_weight(sample_weight, len(lengths))
        n_tokens = float(weights @ lengths)
        if n_tokens == 0:
            raise ValueError("X has no token to score. Pass at least one sequence that is not empty.")
        return float(weights @ log_likelihood) / n_tokens

    def perplexity(self, X: Any, sample_weight: Any = None) -> float:
        """Exponential of minus `score`: among how many equally likely tokens the model was undecided.

        Parameters
        ----------
        X : list of sequences of tokens, or array-like of shape (n_sequences, n_tokens)
            The sequences, see the class.
        sample_weight : array-like of shape (n_sequences,), default=None
            Weight of each sequence.

        Returns
        -------
        perplexity : float
            At least 1, lower is better; finite with unseen tokens, too.
        """
        with np.errstate(over="ignore"):
            return float(np.exp(-self.score(X, sample_weight=sample_weight)))

    def token_log_proba(self, X: Any) -> list[np.ndarray]:
        """Log-probability of every token, given those before it.

        Parameters
        ----------
        X : list of sequences of tokens, or array-like of shape (n_sequences, n_tokens)
            The sequences, see the class.

        Returns
        -------
        log_proba : list of ndarray of shape (n_tokens_i,)
            Nats; the last entry is END's where it is modelled. Minus this is the surprise at each place.
        """
        check_is_fitted(self)
        log_proba, lengths = self._measure("token_log_proba", X)
        return np.split(log_proba, np.cumsum(lengths)[:-1])

    def token_rank(self, X: Any) -> list[np.ndarray]:
        """Rank of every token among all that could have come; 1 is the likeliest.

        Parameters
        ----------
        X : list of sequences of tokens, or array-like of shape (n_sequences, n_tokens)
            The sequences, see the class.

        Returns
        -------
        rank : list of ndarray of shape (n_tokens_i,), integer
            The last entry is END's where it is modelled.
        """
        check_is_fitted(self)
        ranks, lengths = self._measure("token_rank", X)
        return np.split(ranks, np.cumsum(lengths)[:-1])

    def transform(self, X: Any) -> np.ndarray:
        """State of the top layer after each sequence.

        Parameters
        ----------
        X : list of sequences of tokens, or array-like of shape (n_sequences, n_tokens)
            The sequences, see the class.

        Returns
        -------
        state : ndarray of shape (n_sequences, hidden_size)
            Features of the sequences for other estimators.
        """
        check_is_fitted(self)
        return self._read_prefixes(X)[0]

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
        `top_p`, `min_p`. By default all are off, and tokens are drawn as the model believes.

        Parameters
        ----------
        prompts : str, list of sequences of tokens, or None, default=None
            What to continue; a str is one prompt, anything else a list of them. None begins with nothing.
        n_sequences : int, default=1
            Number of continuations of each prompt.
        max_new_tokens : int
            Largest number of tokens to add, at least 1; a sequence also stops at its END.
        temperature : float, default=1.0
            Divides log-probabilities: below 1 bolder, above 1 wilder; 0 always takes the likeliest token.
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
        check_is_fitted(self)
        generator = Generator(
            self._scores(self._network),
            self._params,
            self._vocabulary,
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
        is_single = isinstance(prompts, str)
        items = read_prompts(prompts, self._empty_prompt())
        data = self._encode(TokenReader.open(items, "prompts"), is_closed=True)
        sequences, log_proba = generator.run(data, n_sequences, random_state)
        n_sequences = int(n_sequences)  # NumPy's integers overflow
        written = [
            append_tokens(items[i // n_sequences], self._vocabulary.decode(new)) for i, new in enumerate(sequences)
        ]
        result = written[0] if is_single and n_sequences == 1 else written
        return (result, log_proba) if return_log_proba else result

    def start(self, n_streams: int = 1) -> TokenStream:
        """Begin sequences that arrive token by token.

        Parameters
        ----------
        n_streams : int, default=1
            Number of sequences side by side.

        Returns
        -------
        stream : TokenStream
            Its ``update(tokens, index=None)`` reads the next token of each.
        """
        check_is_fitted(self)
        return TokenStream(self._scores(self._network), self._params, self._vocabulary, self.handle_unknown, n_streams)

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
    def weights_(self) -> dict[str, np.ndarray]:
        """Parameters by name: views of one vector."""
        return named_weights(self)

    @property
    def _n_features_out(self) -> int:
        return self._network.head.n_inputs

    def __sklearn_tags__(self):  # type: ignore[no-untyped-def]  # the type of the tags is not public
        tags = super().__sklearn_tags__()
        tags.input_tags.categorical = True
        return tags

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_params")

    def _fitted_vocabulary(self, name: str) -> Vocabulary:
        if not hasattr(self, "_vocabulary"):
            raise AttributeError(f"{type(self).__name__} has no {name} before it is fitted.")
        return self._vocabulary

    def _empty_prompt(self) -> Any:
        """Nothing, in the type of the sequences that were learned from."""
        return self.classes_[:0] if self._sequence_type is np.ndarray else self._sequence_type()

    def _read_training_data(self, X: Any, sample_weight: Any, *, reset: bool) -> tuple[TokenReader, np.ndarray]:
        """The sequences that weigh something, and their weights."""
        sequences = read_sequences(self, X, reset=reset)
        weights = check_sample_weight(sample_weight, len(sequences.lengths))
        if weights.all():
            return sequences, weights
        keep = np.flatnonzero(weights)
        return sequences.take(keep), weights[keep]

    def _learn_vocabulary(
        self, config: NextTokenConfig, sequences: TokenReader, weights: np.ndarray, tokens: Any = None
    ) -> None:
        has_end = not hasattr(self, "n_features_in_") if config.add_end_token == "auto" else bool(config.add_end_token)
        dtypes = sequences.dtypes
        learns_unknown = config.is_partial and self.handle_unknown == "use_unknown"
        if tokens is not None:
            kept = self._distinct(tokens)
        elif not sequences.lengths.any():
            raise ValueError("X holds no token: every sequence is empty. Pass at least one that is not.")
        else:
            counts, dtypes_of_values = count_tokens(sequences, weights)
            kept = frequent_tokens(counts, config.min_frequency, config.max_tokens)
            learns_unknown |= len(kept) < len(counts)
            dtypes = dtypes or dtypes_of_values
        self._vocabulary = make_vocabulary(kept, dtypes, has_end, learns_unknown, sequences.has_texts)
        self._n_tokens_seen = float(weights @ (sequences.lengths + has_end))

    @staticmethod
    def _distinct(tokens: Any) -> list[Any]:
        """Return the tokens that `partial_fit` was told of, sorted."""
        distinct = set(read_tokens(list(tokens) if isinstance(tokens, Set) else tokens, "tokens"))
        if not distinct:
            raise ValueError("tokens is empty: at least one token is needed.")
        return sorted(distinct)

    def _build_network(self, config: NextTokenConfig) -> Network:
        return Network.build_for_tokens(
            config.cell,
            self._vocabulary.begin + 1,
            config.hidden_size,
            self._vocabulary.n_outputs,
            n_layers=config.n_layers,
            dropout=config.dropout,
            embedding_size=config.embedding_size,
            tie_weights=config.tie_weights,
        )

    def _scores(self, network: Network) -> TokenScores:
        """What `network` says of tokens, UNKNOWN included."""
        vocabulary = self._vocabulary
        if vocabulary.learns_unknown:
            return TokenScores(network, None)
        return TokenScores(network, 1 / (self._n_tokens_seen + len(vocabulary.tokens)))

    def _encode(self, sequences: TokenReader, is_closed: bool) -> TokenSequences:
        """Begin, and the tokens, as numbers; with `is_closed` one step more after the last token."""
        vocabulary = self._vocabulary
        data = vocabulary.sequences(sequences.expecting(vocabulary), sequences.lengths, is_closed)
        rejects = self.handle_unknown == "error" and not vocabulary.learns_unknown
        n_unknown = count_equal(data.ids, vocabulary.unknown)
        if not n_unknown or not (rejects or n_unknown == sequences.lengths.sum()):
            return data
        unknown = np.flatnonzero(data.ids == vocabulary.unknown)
        i = int(np.searchsorted(data.offsets, unknown[0], side="right")) - 1
        begin = unknown[0] - data.offsets[i] - 1
        read = shown_all(as_list(sequences.items[i][begin : begin + 7]))
        where = f"{sequences.name}[{sequences.places[i]}]"
        if rejects:
            token = shown(as_list(sequences.items[i][begin : begin + 1])[0])
            raise ValueError(
                f"{where} holds {token}, which is not in the vocabulary. Leave it out, or use "
                "handle_unknown='use_unknown'."
            )
        warn_caller(
            f"No token of {sequences.name} is in the vocabulary: {where} was read as {read}, but the model was fitted "
            f"on tokens such as {shown_all(vocabulary.tokens.tolist())}. Pass sequences of these tokens."
        )
        return data

    def _train(
        self,
        config: NextTokenConfig,
        sequences: TokenReader,
        weights: np.ndarray,
        is_continuing: bool,
        X_val: Any = None,
    ) -> str | None:
        """Train on what was read; returns what to warn of."""
        vocabulary = self._vocabulary
        if config.add_end_token == "auto":
            config = replace(config, add_end_token=vocabulary.has_end)
        if not vocabulary.has_end and not sequences.lengths.all():
            raise ValueError(
                "A sequence is empty and its end is not modelled, so it holds nothing to learn. Leave it out, or use "
                "add_end_token=True."
            )
        network, dtype = self._build_network(config), np.dtype(config.dtype)
        if is_continuing:
            state = continue_training(config, self._training)
        else:
            state = begin_training(config, network, dtype)
            if not vocabulary.learns_unknown:
                self._silence_unknown(network, state.params)
        encoded = self._encode(sequences, vocabulary.has_end)
        data = Dataset(encoded, encoded.next_ids, weights, is_per_step=True)
        validation = None
        if config.early_stopping:
            data, validation = self._hold_out(config, network, data, sequences, state.split_seed, X_val)
        params, problem = run_training(config, network, state, data, TruncatedBPTT(config.bptt_steps), validation)
        set_fitted(self, network, params, state)
        return problem

    def _silence_unknown(self, network: Network, params: np.ndarray) -> None:
        """Let a token that training never shows say nothing, where its random weights would say anything."""
        weights = network.layout.views(params)
        if "embedding" in weights:
            weights["embedding"]["E"][self._vocabulary.unknown] = 0
        else:
            weights["rnn.0"]["W_x"][:, self._vocabulary.unknown] = 0

    def _hold_out(
        self,
        config: NextTokenConfig,
        network: Network,
        data: Dataset[TokenSequences],
        sequences: TokenReader,
        seed: int,
        X_val: Any,
    ) -> tuple[Dataset[TokenSequences], Validation]:
        """What is left to learn from, and what is not, with its score.

        `data` was made of `sequences`.
        """
        if X_val is not None:
            X_val = list(X_val) if isinstance(X_val, Iterator) else X_val
            steps = self._steps_to_score(X_val, "X_val")
            if not steps.n_steps:
                raise ValueError("X_val has no token to score. Pass at least one sequence that is not empty.")
            held = replace(data, sequences=steps, weights=np.ones(len(steps)))
            return data, self._validation(config, network, held, X_val)
        if len(data) == 1:
            (n_steps,) = data.sequences.lengths
            n_train = round(n_steps * (1 - config.validation_fraction))
            if not 0 < n_train < n_steps:
                raise ValueError(
                    f"X is one sequence of {n_steps} tokens: too short to hold out validation_fraction="
                    f"{config.validation_fraction} of it. Pass more, X_val, or early_stopping=False."
                )
            held = replace(data, sequences=data.sequences.pieces(np.array([n_train]), np.array([n_steps - n_train])))
            data = replace(data, sequences=data.sequences.pieces(np.array([0]), np.array([n_train])))
            return data, self._validation(config, network, held, [sequences.items[0][n_train:]])
        train, held_out = hold_out(np.zeros(len(data), dtype=np.intp), config.validation_fraction, seed)
        return data.take(train), self._validation(config, network, data.take(held_out), sequences.take(held_out).items)

    def _validation(
        self, config: NextTokenConfig, network: Network, held: Dataset[TokenSequences], X: Any
    ) -> Validation:
        """Return `held`, which X became, with its mean log-probability, or what `scoring` says, as the score."""
        if config.scoring != "loss":
            return Validation(scored_by(config.scoring, self, network, X), held.digest())
        workspace, scores = Workspace(np.dtype(config.dtype)), self._scores(network)

        def minus_loss(params: np.ndarray) -> float:
            log_likelihood = scores.log_likelihood(params, held.sequences, workspace)
            return float(held.weights @ log_likelihood / held.total_weight)

        return Validation(minus_loss, held.digest())

    def _steps_to_score(self, X: Any, name: str = "X") -> TokenSequences:
        """Return steps that predict every token of X, END included where it is modelled."""
        return self._encode(read_sequences(self, X, reset=False, name=name), self._vocabulary.has_end)

    def _log_likelihood(self, X: Any) -> tuple[np.ndarray, np.ndarray]:
        """Log-likelihood of each sequence, and of how many steps it is the sum."""
        data, network, params = self._steps_to_score(X), self._network, self._params
        predict, n_jobs = partial(self._scores(network).log_likelihood, params), as_python(self.n_jobs)
        return predict_in_shards(predict, data, network.head.n_inputs, params.dtype, n_jobs), data.lengths

    def _measure(self, measure: str, X: Any) -> tuple[np.ndarray, np.ndarray]:
        """What a method of `TokenScores` gives for the steps that predict X, and how many they are in each sequence."""
        data = self._steps_to_score(X)
        scores, workspace = self._scores(self._network), Workspace(self._params.dtype)
        return guarded(getattr(scores, measure), self._params, data, workspace), data.lengths

    def _read_prefixes(self, X: Any) -> tuple[np.ndarray, Any]:
        """Output of the top layer after each whole sequence, and the state of every layer there."""
        data = self._encode(read_sequences(self, X, reset=False), is_closed=True)
        return guarded(self._scores(self._network).read, self._params, data, Workspace(self._params.dtype))

    def _log_proba_after(self, X: Any) -> np.ndarray:
        """Log-probabilities (n, K) of what comes after each sequence."""
        return self._scores(self._network).log_proba_after(self._params, self._read_prefixes(X)[0])
