"""Whether scikit-learn's GridSearchCV takes a list of sequences of unequal lengths, or else the library's container.

``python grid_search.py LIBRARY`` prints what works.
"""

import sys

import numpy as np
from data import X, y
from sklearn.model_selection import GridSearchCV


def skrnn():
    from skrnn import RNNSequenceClassifier

    yield "a list", RNNSequenceClassifier(learning_rate="cosine", max_iter=2), {"hidden_size": [4, 8]}, X


def skorch():
    import torch
    from skorch import NeuralNetClassifier
    from skorch.helper import SliceDict

    class Classifier(torch.nn.Module):
        def __init__(self, hidden_size=4):
            super().__init__()
            self.rnn, self.head = torch.nn.GRU(12, hidden_size, batch_first=True), torch.nn.Linear(hidden_size, 9)

        def forward(self, steps, lengths=None):
            return self.head(self.rnn(steps)[1][-1])

    model = NeuralNetClassifier(Classifier, criterion=torch.nn.CrossEntropyLoss, max_epochs=2, verbose=0)
    padded = np.zeros((len(X), 29, 12), np.float32)
    lengths = np.array([len(x) for x in X])
    yield "a list", model, {"module__hidden_size": [4, 8]}, X
    yield "padded", model, {"module__hidden_size": [4, 8]}, SliceDict(steps=padded, lengths=lengths)


def aeon():
    from aeon.classification.convolution_based import RocketClassifier
    from aeon.pipeline import make_pipeline
    from aeon.transformations.collection.unequal_length import Padder

    grid = {"n_kernels": [10, 20]}
    channels_first = [x.T for x in X]
    pipeline = make_pipeline(Padder(padded_length=29), RocketClassifier(n_kernels=10))
    yield "a list", pipeline, {"rocketclassifier__n_kernels": [10, 20]}, channels_first
    padded = Padder(padded_length=29).fit_transform(channels_first)
    yield "padded", RocketClassifier(n_kernels=10), grid, padded


def hmmlearn():
    from hmmlearn.hmm import GaussianHMM

    yield "a list", GaussianHMM(), {"n_components": [1, 2]}, X


def torch():
    return iter(())  # a module is no estimator


labels = np.unique(y, return_inverse=True)[1]
for what, model, grid, data in globals()[sys.argv[1]]():
    try:
        search = GridSearchCV(model, grid, cv=2, error_score="raise").fit(data, labels)
    except Exception as error:
        print(f"{what}: {type(error).__name__}: {str(error)[:150]}", file=sys.stderr)
    else:
        if np.isfinite(search.best_score_):
            print(what)
            break
else:
    print("no")
