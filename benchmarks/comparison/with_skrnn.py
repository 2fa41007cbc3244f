from data import X, X_test, y, y_test
from sklearn.pipeline import make_pipeline

from skrnn import RNNSequenceClassifier
from skrnn.preprocessing import SequenceScaler

model = make_pipeline(SequenceScaler(), RNNSequenceClassifier(random_state=0)).fit(X, y)
print(model.score(X_test, y_test))
