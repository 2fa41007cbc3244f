"""skrnn's token model through its public interface."""

from skrnn import RNNNextTokenModel

from . import work


def training(cell, hidden_size, n_windows):
    """One pass over a part of the text: characters are read, encoded and batched, too."""
    model, part = _model(cell, hidden_size), work.text()[: work.COLUMNS * work.WINDOW * n_windows]
    return lambda: model.partial_fit([part])


def scoring(cell, hidden_size, n, n_steps):
    """Log-likelihoods of n texts."""
    model = _model(cell, hidden_size)
    texts = [work.text()[k * n_steps : (k + 1) * n_steps] for k in range(n)]
    return lambda: model.score_samples(texts)


def writing(cell, hidden_size, n, n_steps):
    """n texts, drawn at temperature 1."""
    model = _model(cell, hidden_size)
    return lambda: model.generate(["\n"], n, max_new_tokens=n_steps, random_state=0)


def _model(cell, hidden_size):
    model = RNNNextTokenModel(
        hidden_size,
        cell=cell,
        batch_size=work.COLUMNS,
        bptt_steps=work.WINDOW,
        learning_rate="constant",
        learning_rate_init=3e-3,
        add_end_token=False,
        vocabulary=sorted(set(work.text())),
        embedding_size=None,
        dtype="float32",
        random_state=0,
    )
    return model.partial_fit([work.text()[: work.COLUMNS * work.WINDOW]])
