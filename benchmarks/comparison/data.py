"""The data of all programs: JapaneseVowels, without what one of the libraries would have to convert."""

import os

import numpy as np

with np.load(os.environ["JAPANESE_VOWELS"]) as arrays:  # the file in skrnn/datasets/data
    STEPS = arrays["micro_units"].astype(np.float32) / 1e6
    SEQUENCES = np.split(STEPS, np.cumsum(arrays["lengths"])[:-1])
    LABELS = arrays["target"]

X, y = SEQUENCES[:270], LABELS[:270]
X_test, y_test = SEQUENCES[270:], LABELS[270:]
