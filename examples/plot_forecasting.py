"""
=======================
Forecasts and intervals
=======================

How many lynx will be trapped next year? The Hudson's Bay Company kept count along the Mackenzie River from 1821 to 1934
(Campbell and Walker, *A survey of statistical work on the Mackenzie River series of annual Canadian lynx trappings*,
1977). A regressor that has a target at every step learns from the first 80 years to predict the next one, with an
interval, and is tested on the last 34.
"""

# %%
# The numbers rise and fall with a period of some ten years, over two orders of magnitude, so the logarithm is modelled.
# :func:`~skrnn.sequences.to_forecasting` makes the target of each year: the value of the year after.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.linear_model import RidgeCV
from sklearn.metrics import mean_absolute_error

from skrnn import RNNSequenceRegressor
from skrnn.sequences import sliding_windows, to_forecasting

TRAPPED = """
269 321 585 871 1475 2821 3928 5943 4950 2577 523 98 184 279 409 2285 2685 3409 1824 409 151 45 68 213 546 1033
2129 2536 957 361 377 225 360 731 1638 2725 2871 2119 684 299 236 245 552 1623 3311 6721 4254 687 255 473 358
784 1594 1676 2251 1426 756 299 201 229 469 736 2042 2811 4431 2511 389 73 39 49 59 188 377 1292 4031 3495 587
105 153 387 758 1307 3465 6991 6313 3794 1836 345 382 808 1388 2713 3800 3091 2985 3790 674 81 80 108 229 399
1132 2432 3574 2935 1537 529 485 662 1000 1590 2657 3396
"""
years, lynx = np.arange(1821, 1935), np.log10(list(map(int, TRAPPED.split())))
n_train = 80
X, y = to_forecasting([lynx[:n_train]])
print(f"{len(lynx)} years, {n_train} for training")

# %%
# ``loss="gaussian"`` predicts a mean and a standard deviation. Ten networks that differ in their seeds are averaged:
# with 79 targets, one alone depends on chance.

SETTINGS = {
    "hidden_size": 16,
    "loss": "gaussian",
    "learning_rate": "cosine",
    "learning_rate_init": 0.01,
    "max_iter": 150,
    "alpha": 0.01,
}
models = [RNNSequenceRegressor(**SETTINGS, random_state=seed).fit(X, y) for seed in range(10)]

# %%
# A prediction depends on all years before it, and on none after. Given the whole series, the model so predicts each
# year of the test from those that were known then.

predictions = [model.predict([lynx[:-1]], return_std=True) for model in models]
means, stds = np.array([(mean[0], std[0]) for mean, std in predictions]).transpose(1, 0, 2)
mean = means.mean(axis=0)
std = np.sqrt((stds**2 + means**2).mean(axis=0) - mean**2)  # of the mixture
test = slice(n_train - 1, None)
truth = lynx[1:]

# %%
# For comparison: last year's value, and ridge regression on the last ten years.

lags = sliding_windows(lynx[:-1], 10)[:, :, 0]
ridge = RidgeCV(np.logspace(-3, 2, 20)).fit(lags[: n_train - 10], lynx[10:n_train])
errors = {
    "last year": mean_absolute_error(truth[test], lynx[:-1][test]),
    "ridge on ten lags": mean_absolute_error(truth[test], ridge.predict(lags)[n_train - 10 :]),
    "ten networks": mean_absolute_error(truth[test], mean[test]),
}
for name, error in errors.items():
    print(f"{name:18} mean absolute error {error:.3f}")
covered = abs(truth - mean)[test] < 1.28 * std[test]
print(f"{covered.mean():.0%} of the years lie in the interval that should have 80 %")

# %%
# The intervals are too narrow: a network fits 79 targets better than it will fit the years to come. Held-out years, see
# ``early_stopping``, or fewer units make them wider.

fig, ax = plt.subplots(figsize=(8, 3.5), layout="constrained")
ax.plot(years, 10**lynx, ".-", color="0.4", label="trapped")
ax.plot(years[1:][test], 10 ** mean[test], color="C0", label="predicted the year before")
ax.fill_between(
    years[1:][test], 10 ** (mean - 1.28 * std)[test], 10 ** (mean + 1.28 * std)[test], color="C0", alpha=0.25, lw=0,
    label="80 % interval",
)  # fmt: skip
ax.axvline(years[n_train] - 0.5, color="k", lw=0.8, ls=":")
ax.set(yscale="log", xlabel="year", ylabel="lynx", xlim=(1880, 1935))
ax.legend(loc="lower right", ncols=3)
plt.show()
