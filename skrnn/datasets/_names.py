"""First names of the United States, to be spelt letter by letter."""

from __future__ import annotations

from importlib.resources import files

from sklearn.utils import Bunch

_SUBSETS = {"female": "f", "male": "m", "all": ""}


def load_names(*, subset: str = "all") -> Bunch:
    """Load first names (sequences of letters).

    =================  ===================================
    Sequences          5163 distinct names
    Of women, of men   4275, 1219; 331 names are both
    Steps              2 to 11
    Tokens             the letters a to z
    =================  ===================================

    Parameters
    ----------
    subset : {"female", "male", "all"}, default="all"
        Names that women bear, that men bear, or both; a name that both bear is in all three.

    Returns
    -------
    bunch : :class:`~sklearn.utils.Bunch`
        With the following attributes:

        data : list of str
            The names, distinct, in lower case and alphabetical order.
        DESCR : str
            Description, source, licence.

    Raises
    ------
    ValueError
        If `subset` is none of the three names.

    Notes
    -----
    The data are in the public domain. Source: United States Census Bureau, *Frequently Occurring Surnames and First
    Names in the United States, 1990*.

    Examples
    --------
    >>> from skrnn.datasets import load_names
    >>> names = load_names().data
    >>> len(names), names[:4]
    (5163, ['aaron', 'abbey', 'abbie', 'abby'])
    """
    if subset not in _SUBSETS:
        raise ValueError(f'subset must be "female", "male" or "all", got {subset!r}.')
    folder = files(__package__) / "data"
    lines = (folder / "names.txt").read_text(encoding="ascii").splitlines()
    data = [name for name, lists in map(str.split, lines) if _SUBSETS[subset] in lists]
    return Bunch(data=data, DESCR=(folder / "names.md").read_text(encoding="utf-8"))
