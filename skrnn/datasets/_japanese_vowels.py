"""Japanese Vowels: nine speakers, told apart by how they say /ae/."""

from __future__ import annotations

from importlib.resources import files

import numpy as np
from sklearn.utils import Bunch

_SUBSETS = {"train": slice(0, 270), "test": slice(270, 640), "all": slice(0, 640)}


def load_japanese_vowels(
    *, subset: str = "train", return_X_y: bool = False
) -> Bunch | tuple[list[np.ndarray], np.ndarray]:
    """Load the Japanese Vowels data (speaker recognition, ragged sequences).

    =================  ==================================
    Classes            9 (speakers)
    Sequences          270 for training, 370 for testing
    Steps              7 to 29
    Features per step  12 (LPC cepstrum coefficients)
    =================  ==================================

    The split is the published one: both parts have the same speakers, recorded on different occasions. Within each part
    the sequences are in order of the speaker.

    Parameters
    ----------
    subset : {"train", "test", "all"}, default="train"
        Which part to load; "all" is the training part followed by the test part.
    return_X_y : bool, default=False
        If True, return ``(data, target)`` instead of a Bunch.

    Returns
    -------
    bunch : :class:`~sklearn.utils.Bunch`
        With the following attributes:

        data : list of n_sequences ndarrays of shape (n_steps_i, 12), dtype float64
            The sequences. The coefficients have no unit and lie between -1.9 and 2.3.
        target : ndarray of shape (n_sequences,), dtype int64
            The speaker of each sequence, 1 to 9.
        feature_names : list of 12 str
            ``"lpc_cepstrum_1"`` to ``"lpc_cepstrum_12"``.
        target_names : list of 9 str
            ``"speaker 1"`` to ``"speaker 9"``: the classes in sorted order.
        DESCR : str
            Description, source, licence.

    (data, target) : tuple if ``return_X_y=True``
        The list and the array described above.

    Raises
    ------
    ValueError
        If `subset` is none of the three names.

    Notes
    -----
    Licence of the data: Creative Commons Attribution 4.0 International. Source: UCI Machine Learning Repository,
    https://doi.org/10.24432/C5NS47.

    References
    ----------
    .. [1] M. Kudo, J. Toyama and M. Shimbo, "Multidimensional curve classification using passing-through regions",
       Pattern Recognition Letters 20(11-13), 1103-1111, 1999.

    Examples
    --------
    >>> from skrnn.datasets import load_japanese_vowels
    >>> X, y = load_japanese_vowels(return_X_y=True)
    >>> len(X), X[0].shape, X[1].shape
    (270, (20, 12), (26, 12))
    >>> sorted(set(y.tolist()))
    [1, 2, 3, 4, 5, 6, 7, 8, 9]
    """
    if subset not in _SUBSETS:
        raise ValueError(f'subset must be "train", "test" or "all", got {subset!r}.')
    folder = files(__package__) / "data"
    with (folder / "japanese_vowels.npz").open("rb") as file, np.load(file, allow_pickle=False) as archive:
        steps = archive["micro_units"] / 1e6  # (9961, 12); the division is exact, see the note beside the data
        ends = np.cumsum(archive["lengths"], dtype=np.intp)
        target = archive["target"].astype(np.int64)[_SUBSETS[subset]]
    data = np.split(steps, ends[:-1])[_SUBSETS[subset]]
    if return_X_y:
        return data, target
    return Bunch(
        data=data,
        target=target,
        feature_names=[f"lpc_cepstrum_{i}" for i in range(1, 13)],
        target_names=[f"speaker {i}" for i in range(1, 10)],
        DESCR=(folder / "japanese_vowels.md").read_text(encoding="utf-8"),
    )
