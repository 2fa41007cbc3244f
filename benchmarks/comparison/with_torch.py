import numpy as np
import torch
from data import X, X_test, y, y_test
from torch import nn
from torch.nn.utils.rnn import pack_sequence

torch.manual_seed(0)
mean, std = np.concatenate(X).mean(axis=0), np.concatenate(X).std(axis=0)
X, X_test = ([torch.from_numpy((x - mean) / std) for x in sequences] for sequences in (X, X_test))
labels, y = np.unique(y, return_inverse=True)
y = torch.from_numpy(y)


class Classifier(nn.Module):
    def __init__(self, n_features, hidden_size, n_classes):
        super().__init__()
        self.rnn = nn.GRU(n_features, hidden_size)
        self.head = nn.Linear(hidden_size, n_classes)

    def forward(self, sequences):
        _, state = self.rnn(pack_sequence(sequences, enforce_sorted=False))
        return self.head(state[-1])


model = Classifier(X[0].shape[1], 64, len(labels))
optimizer = torch.optim.Adam(model.parameters(), lr=0.003)
loss_function = nn.CrossEntropyLoss()
for _ in range(200):
    for batch in torch.randperm(len(X)).split(200):
        optimizer.zero_grad()
        loss = loss_function(model([X[i] for i in batch]), y[batch])
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
model.eval()
with torch.no_grad():
    y_pred = labels[model(X_test).argmax(dim=1).numpy()]
print((y_pred == y_test).mean())
