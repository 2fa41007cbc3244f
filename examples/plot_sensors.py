"""
=======================
Sensors in a long table
=======================

Sensors send a row at a time: which recording it belongs to, when it was measured, and the values. Rows come late, some
are lost, sensors fall silent for a while, and one of them tells no number but a level. This is the way from such a
table to a classifier, and to a score that can be trusted.
"""

# %%
# The table
# ---------
#
# Real recordings, made like that: nine men say /ae/, on two occasions. A step every 6.4 ms has 12 coefficients of the
# spectrum, here of as many sensors. Three things are changed. The first sensor tells one of three levels only; a tenth
# of the rows is lost, and the others come in any order; and each of the other sensors fails now and then for up to
# nine rows, so that 30 % of their values are missing.

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skrnn import RNNSequenceClassifier
from skrnn.datasets import load_japanese_vowels
from skrnn.preprocessing import SequenceImputer, SequenceScaler, SequenceSummarizer, StepTransformer
from skrnn.sequences import from_long_dataframe

recordings = load_japanese_vowels(subset="all")
lengths = list(map(len, recordings.data))
sensors = [f"sensor {k}" for k in range(1, 13)]
table = pd.DataFrame(np.concatenate(recordings.data), columns=sensors)
table["recording"] = np.repeat(np.arange(len(lengths)), lengths)
table["ms"] = np.concatenate([6.4 * np.arange(n) for n in lengths])
table["speaker"] = np.repeat(recordings.target, lengths)
table["occasion"] = np.where(table["recording"] < 270, "first", "second")

table["level"] = pd.cut(table.pop(sensors.pop(0)), [-np.inf, 0.5, 1.1, np.inf], labels=["low", "middle", "high"])
rng = np.random.default_rng(0)
for sensor in sensors:
    values = table[sensor].to_numpy(copy=True)
    while np.isnan(values).mean() < 0.3:
        begin = rng.integers(len(values))
        values[begin : begin + rng.integers(1, 10)] = np.nan
    table[sensor] = values
table = table.sample(frac=0.9, random_state=0)
print(table[["recording", "occasion", "ms", "level", *sensors[:3]]].head(4).round(2).to_string(index=False))

# %%
# Sequences
# ---------
#
# ``from_long_dataframe`` sorts the rows of each recording by time. The occasion has one value for each recording.

data = from_long_dataframe(
    table, sequence="recording", order="ms", columns=["ms", "level", *sensors], target="speaker", static="occasion"
)
print(len(data.X), "recordings of", min(map(len, data.X)), "to", max(map(len, data.X)), "steps")

# %%
# Three transformers make numbers of them, in this order. The levels become three features, one of which is 1. A missing
# value becomes the one that was measured last in the same recording, or the mean where there is none yet. Then all
# features are scaled.


def prepared(*model, **imputing):
    levels = make_column_transformer(
        (OneHotEncoder(sparse_output=False), ["level"]), remainder="passthrough", verbose_feature_names_out=False
    )
    return make_pipeline(
        StepTransformer(levels), SequenceImputer(time_feature="ms", **imputing), SequenceScaler(), *model
    )


# %%
# The longest recording before and after. Grey is what is missing. A row that is lost stays so, but the time of each row
# is a feature, too.

imputed = prepared()[:-1].fit_transform(data.X)
longest = int(np.argmax(list(map(len, data.X))))
fig, axes = plt.subplots(2, 1, figsize=(5.6, 5), layout="constrained", sharex=True)
for ax, frame, title in zip(
    axes, (data.X[longest], imputed[longest]), ("as it is sent", "after SequenceImputer"), strict=True
):
    times = frame["ms"].to_numpy()
    ax.set_facecolor("0.85")
    for time, values in zip(times, frame[sensors].to_numpy(), strict=True):
        edges = [time - 3.2, time + 3.2]
        image = ax.pcolormesh(edges, np.arange(1.5, 13), values[:, None], cmap="RdBu_r", vmin=-1, vmax=1)
    ax.set(title=title, ylabel="sensor", yticks=range(2, 13, 2))
axes[1].set_xlabel("time (ms)")
fig.colorbar(image, ax=axes, label="value")
plt.show()

# %%
# Two models, two splits
# ----------------------
#
# A network beside logistic regression on summary statistics of each recording. The imputer can also say what it filled
# and how old that is, as features of their own; the network is tried with these, too.


def network():
    return RNNSequenceClassifier(
        64,
        dropout=0.3,
        batch_size=32,
        learning_rate="cosine",
        learning_rate_init=0.01,
        max_iter=20,
        dtype="float32",
        random_state=0,
    )


models = {
    "statistics": prepared(SequenceSummarizer(), StandardScaler(), LogisticRegression(max_iter=1000)),
    "network": prepared(network()),
    "network, told the gaps": prepared(network(), add_indicator=True, add_time_since=True),
}

# %%
# The speakers are to be recognized on another occasion. So the occasions are the groups of the cross-validation: a
# model is trained on one, tested on the other, and the other way round. A random split has utterances of both
# occasions on both sides, and cannot tell what happens on another one.

splits = {
    "by occasion": (GroupKFold(2), data.static["occasion"]),
    "at random": (StratifiedKFold(2, shuffle=True, random_state=0), None),
}
print(f"{'':24}", *(f"{name:>12}" for name in splits))
for name, model in models.items():
    scores = [cross_val_score(model, data.X, data.y, groups=groups, cv=cv).mean() for cv, groups in splits.values()]
    print(f"{name:24}", *(f"{score:12.3f}" for score in scores))

# %%
# Both splits say nearly the same here: the men speak alike on both occasions. Only the split by occasion can tell. As
# with :ref:`the recordings without gaps <sphx_glr_auto_examples_plot_japanese_vowels.py>`, the statistics are ahead: a
# speaker shows in the average spectrum. Being told the gaps makes the network worse: these sensors fail at random, so
# gaps tell nothing, and there are 28 more features to learn from some 300 recordings. Gaps are worth telling where a
# value is measured for a reason, as in a hospital.
