"""Files that are replaced at once: at every moment there is the one before, or the whole next one."""

from __future__ import annotations

import errno
import glob
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from typing import BinaryIO

SUFFIX = ".tmp"
"""Of a file that is being written."""


@contextmanager
def replacing(target: Path) -> Iterator[BinaryIO]:
    """Open a file that takes the place of `target` when all of it is on the disk; none is left if the block raises."""
    temporary = _beside(target)
    try:
        with open(temporary, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _flush_folder(target.parent)


def check_writable(target: Path, name: Path) -> None:
    """Raise where `target`, which the user calls `name`, cannot be written; remove what a killed process left of it."""
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, "The path is that of a folder. Pass one of a file", str(name))
    try:
        for leftover in target.parent.glob(glob.escape(f".{target.name}.") + f"*{SUFFIX}"):
            leftover.unlink(missing_ok=True)
        trial = _beside(target)
        trial.touch(exist_ok=False)
        trial.unlink()
    except OSError as error:
        problem = f"No file can be written into {str(target.parent)!r} ({error.strerror}). Pass another path"
        raise OSError(error.errno, problem, str(name)) from error


def _beside(target: Path) -> Path:
    """Return a name in the same folder, which nobody else has."""
    return target.with_name(f".{target.name}.{token_hex(4)}{SUFFIX}")


def _flush_folder(folder: Path) -> None:
    """Put the new name of a file on the disk, too, where the system can."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # some file systems have no such thing
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
