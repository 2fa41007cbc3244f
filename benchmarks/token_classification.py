"""Which module is a function from? Functions of the standard library as tokens, classified in several ways.

Measured: accuracy on a fourth of the functions of the 20 largest modules, seconds to learn, and the most memory that
arrays took meanwhile (tracemalloc). Bag of words: how often each token comes (CountVectorizer), and logistic
regression. One-hot: the same network on one-hot rows of the same vocabulary. With a tenth of the labels, the network
begins at random, or at the layers of an RNNNextTokenModel that has read all training functions (`init_from`).

    python benchmarks/token_classification.py
"""

import platform
import time
import tracemalloc
import warnings
from collections import Counter

import numpy as np
import sklearn
from python_functions import read_functions
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline

from skrnn import RNNNextTokenModel, RNNSequenceClassifier, __version__

N_MODULES, N_SEEDS = 20, 3
NETWORK = {"hidden_size": 64, "max_tokens": 1000, "pooling": "mean", "max_iter": 30, "batch_size": 32}
NETWORK |= {"learning_rate": "cosine", "dtype": "float32"}
LANGUAGE = {"hidden_size": 64, "max_tokens": 1000, "embedding_size": 64, "max_iter": 20, "dtype": "float32"}


def read_data():
    functions = read_functions()
    largest = [module for module, _ in Counter(function.module for function in functions).most_common(N_MODULES)]
    chosen = [function for function in functions if function.module in largest]
    X, y = [function.tokens for function in chosen], np.array([function.module for function in chosen])
    return train_test_split(X, y, test_size=0.25, stratify=y, random_state=0)


def one_hot(X, tokens):
    """Rows (n_steps_i, n_tokens + 1), the last column for what is no token."""
    column = {token: k for k, token in enumerate(tokens)}
    identity = np.eye(len(tokens) + 1, dtype=np.float32)
    return [identity[[column.get(token, len(tokens)) for token in x]] for x in X]


def measure(learn, score):
    """Accuracy, seconds and mebibytes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        begin = time.perf_counter()
        model = learn()
        seconds = time.perf_counter() - begin
        tracemalloc.start()
        learn()
        mebibytes = tracemalloc.get_traced_memory()[1] / 2**20
        tracemalloc.stop()
    return score(model), seconds, mebibytes


def network(X, y, seed, init_from=None, **settings):
    settings = {**NETWORK, **({"max_tokens": None} if init_from else {}), **settings}
    return RNNSequenceClassifier(**settings, random_state=seed).fit(X, y, init_from=init_from)


def main():
    X, X_test, y, y_test = read_data()
    rng = np.random.default_rng(0)
    tenth = np.sort(rng.permutation(len(X))[: len(X) // 10])
    few, y_few = [X[i] for i in tenth], y[tenth]
    words = make_pipeline(CountVectorizer(analyzer=list), LogisticRegression(max_iter=1000))
    tokens = [token for token, _ in Counter(token for x in X for token in x).most_common(NETWORK["max_tokens"])]
    language = RNNNextTokenModel(**LANGUAGE, random_state=0).fit(X)

    def mean_of(learn, score):
        return np.mean([measure(lambda seed=seed: learn(seed), score) for seed in range(N_SEEDS)], axis=0)

    def of_tokens(model):
        return model.score(X_test, y_test)

    def rows(some, labels):
        yield "bag of words, logistic regression", measure(lambda: words.fit(some, labels), of_tokens)
        yield "tokens as input", mean_of(lambda seed: network(some, labels, seed), of_tokens)
        if some is X:
            yield (
                "one-hot rows as input",
                measure(
                    lambda: network(one_hot(some, tokens), labels, 0, max_tokens=None),
                    lambda model: model.score(one_hot(X_test, tokens), y_test),
                ),
            )
        yield (
            "tokens as input, begun at a token model (`init_from`)",
            mean_of(lambda seed: network(some, labels, seed, init_from=language), of_tokens),
        )

    print("# Which module is a function from?\n")
    print(
        f"`python benchmarks/token_classification.py`: skrnn {__version__}, NumPy {np.__version__}, scikit-learn "
        f"{sklearn.__version__}, Python {platform.python_version()}. {len(X)} functions to learn from, {len(X_test)} "
        f"for the test, {N_MODULES} modules. `{NETWORK}`; mean of {N_SEEDS} seeds. The token model: `{LANGUAGE}`.\n"
    )
    print("| labels | model | accuracy | seconds to learn | MiB |\n|---|---|---:|---:|---:|")
    for share, some, labels in (("all", X, y), ("a tenth", few, y_few)):
        for name, (accuracy, seconds, mebibytes) in rows(some, labels):
            print(f"| {share} | {name} | {accuracy:.3f} | {seconds:.1f} | {mebibytes:.0f} |", flush=True)


if __name__ == "__main__":
    main()
