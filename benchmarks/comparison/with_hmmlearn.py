import numpy as np
from data import X, X_test, y, y_test
from hmmlearn.hmm import GaussianHMM

labels = np.unique(y)
models = []
for label in labels:
    sequences = [x for x, of in zip(X, y, strict=True) if of == label]
    model = GaussianHMM(n_components=5, covariance_type="diag", random_state=0)
    models.append(model.fit(np.concatenate(sequences), [len(x) for x in sequences]))
scores = np.array([[model.score(x) for model in models] for x in X_test])
print((labels[scores.argmax(axis=1)] == y_test).mean())
