"""`tf.gfile`: files of this machine, by Python's own functions."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from glob import glob as files_of
from typing import IO, Any

from penstock.tf1.errors import AlreadyExistsError, NotFoundError

__all__ = [
    "Copy",
    "DeleteRecursively",
    "Exists",
    "FastGFile",
    "GFile",
    "Glob",
    "IsDirectory",
    "ListDirectory",
    "MakeDirs",
    "MkDir",
    "Open",
    "Remove",
    "Rename",
    "Walk",
    "copy",
    "exists",
    "glob",
    "isdir",
    "listdir",
    "makedirs",
    "mkdir",
    "remove",
    "rename",
    "rmtree",
    "walk",
]


def GFile(name: str, mode: str = "r") -> IO[Any]:  # noqa: N802
    """Opens a file.

    Raises:
      NotFoundError: there is none.
    """
    try:
        return open(name, mode, encoding=None if "b" in mode else "utf-8")
    except FileNotFoundError as error:
        raise NotFoundError(str(error)) from error


FastGFile = Open = GFile


def Exists(filename: str) -> bool:  # noqa: N802
    """Whether there is such a file or folder."""
    return os.path.exists(filename)


def IsDirectory(dirname: str) -> bool:  # noqa: N802
    """Whether it is a folder."""
    return os.path.isdir(dirname)


def ListDirectory(dirname: str) -> list[str]:  # noqa: N802
    """The names in a folder, in order."""
    return sorted(os.listdir(dirname))


def Glob(filename: str | Sequence[str]) -> list[str]:  # noqa: N802
    """The files that match a pattern, or one of several, in order."""
    patterns = [filename] if isinstance(filename, str) else filename
    return [path for pattern in patterns for path in sorted(files_of(pattern))]


def Walk(top: str, in_order: bool = True) -> Iterator[tuple[str, list[str], list[str]]]:  # noqa: N802
    """A folder and all in it, as `os.walk`."""
    return os.walk(top, topdown=in_order)


def MakeDirs(dirname: str) -> None:  # noqa: N802
    """Makes a folder, and those that it is in."""
    os.makedirs(dirname, exist_ok=True)


def MkDir(dirname: str) -> None:  # noqa: N802
    """Makes a folder."""
    os.mkdir(dirname)


def Remove(filename: str) -> None:  # noqa: N802
    """Removes a file."""
    os.remove(filename)


def DeleteRecursively(dirname: str) -> None:  # noqa: N802
    """Removes a folder and all in it.

    Raises:
      NotFoundError: there is none.
    """
    try:
        shutil.rmtree(dirname)
    except FileNotFoundError as error:
        raise NotFoundError(str(error)) from error


def Copy(oldpath: str, newpath: str, overwrite: bool = False) -> None:  # noqa: N802
    """Copies a file.

    Raises:
      AlreadyExistsError: there is one of the new name, and `overwrite` is False.
    """
    _free(newpath, overwrite)
    shutil.copyfile(oldpath, newpath)


def Rename(oldname: str, newname: str, overwrite: bool = False) -> None:  # noqa: N802
    """Gives a file another name.

    Raises:
      AlreadyExistsError: there is one of the new name, and `overwrite` is False.
    """
    _free(newname, overwrite)
    os.replace(oldname, newname)


def _free(path: str, overwrite: bool) -> None:
    if not overwrite and os.path.exists(path):
        raise AlreadyExistsError(f"file already exists: {path!r}")


# The names of `tf.io.gfile`.
copy, exists, glob, isdir, listdir = Copy, Exists, Glob, IsDirectory, ListDirectory
makedirs, mkdir, remove, rename, rmtree, walk = MakeDirs, MkDir, Remove, Rename, DeleteRecursively, Walk
