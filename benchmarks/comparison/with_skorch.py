import numpy as np
import torch
from data import X, X_test, y, y_test
from skorch import NeuralNetClassifier
from skorch.callbacks import GradientNormClipping
from skorch.helper import SliceDict
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_sequence

torch.manual_seed(0)
mean, std = np.concatenate(X).mean(axis=0), np.concatenate(X).std(axis=0)
labels, y = np.unique(y, return_inverse=True)


def padded(sequences):
    scaled = [torch.from_numpy((x - mean) / std) for x in sequences]
    lengths = np.array([len(x) for x in sequences])
    return SliceDict(steps=pad_sequence(scaled, batch_first=True).numpy(), lengths=lengths)


class Classifier(nn.Module):
    def __init__(self, n_features, hidden_size, n_classes):
        super().__init__()
        self.rnn = nn.GRU(n_features, hidden_size, batch_first=True)
        self.head = nn.Linear(hidden_size, n_classes)

    def forward(self, steps, lengths):
        _, state = self.rnn(pack_padded_sequence(steps, lengths, batch_first=True, enforce_sorted=False))
        return self.head(state[-1])


model = NeuralNetClassifier(
    Classifier(X[0].shape[1], 64, len(labels)),
    criterion=nn.CrossEntropyLoss,
    optimizer=torch.optim.Adam,
    lr=0.003,
    max_epochs=200,
    batch_size=200,
    iterator_train__shuffle=True,
    train_split=None,
    callbacks=[GradientNormClipping(1.0)],
    verbose=0,
)
model.fit(padded(X), y)
print((labels[model.predict(padded(X_test))] == y_test).mean())
