"""What is each name in a function? Tags of 4,000 functions of the standard library, beside a CRF of hand-made features.

Measured: accuracy over tokens, F1 of spans (those of `seqeval` in its default mode) and seconds to learn, on the
functions of modules that are held out. The features of sklearn-crfsuite are those of its tutorial: the word in lower
case, its last three and two characters, whether it is upper or title case or digits, and the same of the words on both
sides; the tutorial's settings, L-BFGS with c1 = c2 = 0.1. The network reads the tokens themselves.

Needs `pip install sklearn-crfsuite`.

    python benchmarks/tagging.py
"""

import platform
import time
import warnings

import numpy as np
import sklearn
from python_functions import read_functions

from skrnn import RNNSequenceTagger, __version__
from skrnn.metrics import span_f1_score, step_accuracy_score

N_TRAIN, N_TEST = 3000, 1000
COMMON = {"max_tokens": 3000, "batch_size": 32, "learning_rate": "cosine", "dtype": "float32"}
NETWORKS = {
    "RNNSequenceTagger(loss='crf')": {"max_iter": 10},
    "RNNSequenceTagger(loss='log_loss')": {"max_iter": 10, "loss": "log_loss"},
}


def read_data():
    """Functions to learn from, and of other modules to test on."""
    functions = read_functions()
    modules = sorted({function.module for function in functions})
    rng = np.random.default_rng(0)
    tested = set(rng.permutation(modules)[: len(modules) // 4])
    order = rng.permutation(len(functions))
    train = [functions[i] for i in order if functions[i].module not in tested][:N_TRAIN]
    return train, [functions[i] for i in order if functions[i].module in tested][:N_TEST]


def features(words):
    """The features of sklearn-crfsuite's tutorial, without those of parts of speech."""
    found = []
    for k, word in enumerate(words):
        own = {
            "bias": 1.0,
            "word.lower()": word.lower(),
            "word[-3:]": word[-3:],
            "word[-2:]": word[-2:],
            "word.isupper()": word.isupper(),
            "word.istitle()": word.istitle(),
            "word.isdigit()": word.isdigit(),
        }
        for shift in (-1, 1):
            if 0 <= k + shift < len(words):
                beside = words[k + shift]
                own |= {
                    f"{shift}:word.lower()": beside.lower(),
                    f"{shift}:word.istitle()": beside.istitle(),
                    f"{shift}:word.isupper()": beside.isupper(),
                }
            else:
                own["BOS" if shift < 0 else "EOS"] = True
        found.append(own)
    return found


def measure(fit, predict, test):
    """Accuracy, F1 and seconds."""
    begin = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = fit()
    seconds = time.perf_counter() - begin
    y, predicted = [function.tags for function in test], list(map(list, predict(model)))
    return step_accuracy_score(y, predicted), span_f1_score(y, predicted), seconds


def main():
    train, test = read_data()
    X, y = [function.tokens for function in train], [function.tags for function in train]
    X_test = [function.tokens for function in test]
    rows = []
    try:
        from sklearn_crfsuite import CRF
    except ImportError as error:
        raise SystemExit("This benchmark compares with sklearn-crfsuite: pip install sklearn-crfsuite") from error
    crf = CRF(algorithm="lbfgs", c1=0.1, c2=0.1, max_iterations=100, all_possible_transitions=True)
    found = measure(
        lambda: crf.fit(list(map(features, X)), y), lambda model: model.predict(list(map(features, X_test))), test
    )
    rows.append(("sklearn-crfsuite, features of its tutorial", found, ""))
    for name, settings in NETWORKS.items():
        all_found = np.array(
            [
                measure(
                    lambda seed=seed, settings=settings: RNNSequenceTagger(
                        **{**COMMON, **settings}, random_state=seed
                    ).fit(X, y),
                    lambda model: model.predict(X_test),
                    test,
                )
                for seed in range(3)
            ]
        )
        spread = f" ({all_found[:, 1].min():.3f} to {all_found[:, 1].max():.3f})"
        rows.append((f"{name}, 3 seeds", all_found.mean(axis=0), spread))
    n_tokens = sum(map(len, X_test))
    print("# Tagging the names of functions\n")
    n_tags = len({tag for tags in y for tag in tags})
    print(
        f"`python benchmarks/tagging.py`: skrnn {__version__}, NumPy {np.__version__}, scikit-learn "
        f"{sklearn.__version__}, Python {platform.python_version()}. {len(X)} functions to learn from, {len(X_test)} "
        f"of other modules ({n_tokens} tokens) for the test, {n_tags} tags. `{COMMON}`.\n"
    )
    print("| model | accuracy of tokens | F1 of spans | seconds to learn |\n|---|---:|---:|---:|")
    for name, (accuracy, f1, seconds), spread in rows:
        print(f"| {name} | {accuracy:.3f} | {f1:.3f}{spread} | {seconds:.0f} |")


if __name__ == "__main__":
    main()
