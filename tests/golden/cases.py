"""Small trainings whose losses and predictions are held fast; each names all parameters of its estimator."""

import itertools
import warnings

import numpy as np

from skrnn import RNNNextTokenModel, RNNSequenceClassifier

CELLS = ["tanh", "relu", "gru", "lstm"]
SOLVERS = ["adam", "sgd", "rmsprop", "lbfgs"]
TRAINING = {
    "hidden_size": 6,
    "cell": "gru",
    "n_layers": 1,
    "dropout": 0.0,
    "solver": "adam",
    "alpha": 1e-3,
    "batch_size": 8,
    "learning_rate": "constant",
    "learning_rate_init": 0.02,
    "max_iter": 3,
    "shuffle": True,
    "random_state": 3,
    "tol": 1e-4,
    "verbose": False,
    "warm_start": False,
    "momentum": 0.9,
    "nesterovs_momentum": True,
    "beta_1": 0.9,
    "beta_2": 0.999,
    "epsilon": 1e-8,
    "max_grad_norm": 1.0,
    "early_stopping": False,
    "validation_fraction": 0.25,
    "n_iter_no_change": 10,
    "scoring": "loss",
    "n_jobs": 1,
    "vocabulary": None,
    "min_frequency": None,
    "max_tokens": None,
    "handle_unknown": "use_unknown",
    "embedding_size": None,
}
CLASSIFIER = {
    **TRAINING,
    "bidirectional": False,
    "pooling": "last",
    "input_type": "auto",
    "categorical_features": "from_dtype",
    "initial_timescale": None,
    "dtype": "auto",
    "class_weight": None,
    "recompute": "auto",
    "bptt_steps": None,
}
TOKENS = {
    **TRAINING,
    "tie_weights": False,
    "add_end_token": True,
    "bptt_steps": 5,
    "dtype": "float64",
}
TIED = {"embedding_size": 6, "tie_weights": True}


def sequences(lengths, n_features=2, dtype=np.float64):
    """Sequences with labels that they tell something of."""
    rng = np.random.default_rng(0)
    X = [rng.standard_normal((n, n_features)).astype(dtype) for n in lengths]
    return X, np.array(["down", "even", "up"])[[1 + int(np.sign(np.rint(x[:, 0].sum()))) for x in X]]


def words(n=20):
    """Words that follow a rule now and then."""
    rng = np.random.default_rng(1)
    return ["".join("abcd"[(k + int(rng.random() < 0.3)) % 4] for k in range(rng.integers(1, 12))) for _ in range(n)]


EQUAL = sequences([7] * 24)
RAGGED = sequences(np.random.default_rng(2).integers(1, 15, 24))
WIDE = sequences(np.random.default_rng(2).integers(1, 15, 24), n_features=12)
SINGLE = sequences(np.random.default_rng(2).integers(1, 15, 24), dtype=np.float32)
WORDS = words()
TEXT = ["".join(words(30))]
WEIGHTS = np.linspace(0, 2, 24)


def classifier(data=RAGGED, sample_weight=None, **params):
    """Losses and predictions of a classifier after a fit."""
    model = RNNSequenceClassifier(**CLASSIFIER | params).fit(*data, sample_weight=sample_weight)
    return of_classifier(model, data)


def of_classifier(model, data):
    found = {"loss_curve": model.loss_curve_, "log_proba": model.predict_log_proba(data[0][:6])}
    if model.validation_scores_ is not None:
        found["validation_scores"] = model.validation_scores_
    return found


def classifier_continued(**params):
    """A warm start."""
    model = RNNSequenceClassifier(**CLASSIFIER | params | {"warm_start": True, "max_iter": 2}).fit(*RAGGED)
    return of_classifier(model.set_params(max_iter=1).fit(*RAGGED), RAGGED)


def classifier_by_parts(**params):
    """Three calls of `partial_fit`."""
    model = RNNSequenceClassifier(**CLASSIFIER | params)
    X, y = RAGGED
    for part in (slice(12), slice(12, 24), slice(6, 18)):
        model.partial_fit(X[part], y[part], classes=np.unique(y))
    return of_classifier(model, RAGGED)


def tokens(X=WORDS, sample_weight=None, **params):
    """Losses and predictions of a token model after a fit."""
    return of_tokens(RNNNextTokenModel(**TOKENS | params).fit(X, sample_weight=sample_weight))


def of_tokens(model):
    X = [*WORDS[:4], "abxd", ""]
    found = {
        "loss_curve": model.loss_curve_,
        "proba": model.predict_proba(X),
        "log_likelihood": model.score_samples(X),
        "log_proba": np.concatenate(model.token_log_proba(X)),
        "rank": np.concatenate(model.token_rank(X)),
        "transform": model.transform(X[:2]),
    }
    if model.validation_scores_ is not None:
        found["validation_scores"] = model.validation_scores_
    return found


def tokens_continued(**params):
    model = RNNNextTokenModel(**TOKENS | params | {"warm_start": True, "max_iter": 2}).fit(WORDS)
    return of_tokens(model.set_params(max_iter=1).fit(WORDS))


def tokens_by_parts(**params):
    model = RNNNextTokenModel(**TOKENS | params)
    for part in (slice(10), slice(10, 20), slice(5, 15)):
        model.partial_fit(WORDS[part])
    return of_tokens(model)


def generated(**options):
    """Numbers of the letters that a fitted model writes, and their log-probabilities."""
    model = RNNNextTokenModel(**TOKENS).fit(WORDS)
    written, log_proba = model.generate(["ab", "", "cda"], max_new_tokens=8, return_log_proba=True, **options)
    return {"written": [ord(letter) for letter in "|".join(written)], "log_proba": log_proba}


def streamed(**params):
    model = RNNNextTokenModel(**TOKENS | params).fit(WORDS)
    stream = model.start()
    surprises = [stream.update(dict(enumerate(step))) for step in ("abc", "bcd", "xda")]
    surprises.append(stream.update({2: "a", 0: "d"}))
    proba = stream.predict_proba()
    return {
        "proba": np.array([proba[0], *model.predict_proba([""]), proba[2]]),
        "surprise": np.concatenate([list(surprise.values()) for surprise in surprises]),
    }


def cases():
    """Functions without arguments, by name."""
    for cell, solver in itertools.product(CELLS, SOLVERS):
        yield f"classifier {cell} {solver} ragged", classifier, {"cell": cell, "solver": solver}
        yield f"tokens {cell} {solver} ragged", tokens, {"cell": cell, "solver": solver}
    for cell in CELLS:
        for name, function, params in (
            ("equal", classifier, {"data": EQUAL}),
            ("wide", classifier, {"data": WIDE}),
            ("stacked dropout", classifier, {"n_layers": 2, "dropout": 0.3}),
            ("mean", classifier, {"pooling": "mean", "dropout": 0.3}),
            ("max", classifier, {"pooling": "max", "n_layers": 2}),
            ("bidirectional", classifier, {"bidirectional": True, "n_layers": 2, "dropout": 0.2}),
            ("truncated", classifier, {"bptt_steps": 3, "pooling": "mean"}),
            ("recompute", classifier, {"recompute": True, "n_layers": 2}),
            ("recompute bidirectional", classifier, {"recompute": True, "bidirectional": True, "pooling": "max"}),
            ("float32", classifier, {"data": SINGLE, "n_layers": 2}),
            ("text", tokens, {"X": TEXT, "batch_size": 4}),
            ("stacked dropout", tokens, {"n_layers": 2, "dropout": 0.3}),
            ("embedding", tokens, {"embedding_size": 3}),
            ("tied", tokens, {**TIED, "n_layers": 2, "dropout": 0.2}),
            ("float32", tokens, {"dtype": "float32", **TIED}),
            ("whole", tokens, {"bptt_steps": 100}),
        ):
            yield f"{function.__name__} {cell} {name}", function, {"cell": cell, **params}
    yield "classifier weights", classifier, {"sample_weight": WEIGHTS}
    yield "classifier class_weight", classifier, {"class_weight": "balanced", "sample_weight": WEIGHTS}
    yield "classifier full batch", classifier, {"batch_size": 200}
    yield "classifier adaptive", classifier, {"learning_rate": "adaptive", "solver": "sgd"}
    yield "classifier unclipped, in order", classifier, {"max_grad_norm": None, "shuffle": False}
    yield "classifier early stopping", classifier, {"early_stopping": True}
    yield "classifier early stopping by accuracy", classifier, {"early_stopping": True, "scoring": "accuracy"}
    yield "classifier two threads", classifier, {"n_jobs": 2, "hidden_size": 256, "cell": "lstm", "batch_size": 24}
    yield "classifier warm start", classifier_continued, {"dropout": 0.2}
    yield "classifier partial_fit", classifier_by_parts, {"dropout": 0.2}
    yield "tokens weights", tokens, {"sample_weight": np.linspace(0, 2, 20)}
    yield "tokens rare", tokens, {"max_tokens": 3}
    yield "tokens without end", tokens, {"X": [word for word in WORDS if word], "add_end_token": False}
    yield "tokens early stopping", tokens, {"early_stopping": True}
    yield "tokens text early stopping", tokens, {"X": TEXT, "early_stopping": True, "batch_size": 4}
    yield "tokens two threads", tokens, {"n_jobs": 2, "hidden_size": 384, "cell": "lstm", "batch_size": 20}
    yield "tokens warm start", tokens_continued, {"dropout": 0.2}
    yield "tokens partial_fit", tokens_by_parts, {"dropout": 0.2}
    yield "generate", generated, {"n_sequences": 2, "random_state": 0}
    yield (
        "generate filtered",
        generated,
        {"top_k": 3, "top_p": 0.9, "repetition_penalty": 1.2, "no_repeat_ngram_size": 2, "random_state": 0},
    )
    yield "generate beams", generated, {"num_beams": 3, "n_sequences": 2}
    yield "stream", streamed, {"cell": "lstm", "n_layers": 2}
    yield "stream tied", streamed, TIED


CASES = {name: (function, arguments) for name, function, arguments in cases()}


def run(name):
    """What a case finds: arrays by name."""
    function, arguments = CASES[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # three epochs are too few
        return {key: np.asarray(value) for key, value in function(**arguments).items()}
