from aeon.classification.convolution_based import RocketClassifier
from aeon.pipeline import make_pipeline
from aeon.transformations.collection.unequal_length import Padder
from data import X, X_test, y, y_test

n_steps = max(len(x) for x in X + X_test)
X, X_test = ([x.T for x in sequences] for sequences in (X, X_test))
model = make_pipeline(Padder(padded_length=n_steps), RocketClassifier(random_state=0)).fit(X, y)
print(model.score(X_test, y_test))
