"""Installs penstock for every other Python of this machine, and joins there: the batches must be the same everywhere.

Looks for CPython 3.11 and newer on PATH, in /usr/bin and /usr/local/bin, and among pyenv's versions.
One environment for each is kept in .venv-others, and filled again only when the sources have changed.
A Python without a NumPy wheel is passed over with a word; an install or a join that fails there fails here.
"""

import hashlib
import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
CACHE = ROOT / ".venv-others"
OLDEST = (3, 11)
LOOK = """
import json, os, sys, sysconfig
print(json.dumps({
    "path": os.path.realpath(sys.executable),
    "version": list(sys.version_info[:3]),
    "threads": "t" if sysconfig.get_config_var("Py_GIL_DISABLED") else "",
    "cpython": sys.implementation.name == "cpython",
}))
"""


class Unavailable(Exception):
    """This Python cannot take part, through no fault of penstock's."""


class Broken(Exception):
    """penstock does not install, or does not join, on this Python."""


@dataclass(frozen=True)
class Interpreter:
    """One Python of this machine."""

    path: Path
    version: str

    @property
    def home(self) -> Path:
        """Its environment here; two Pythons of one version are two."""
        return CACHE / f"{self.version}-{hashlib.sha256(bytes(self.path)).hexdigest()[:8]}"


def run(*command: str | Path, failing: type[Exception], **environment: str) -> str:
    """Runs a command outside the checkout; gives its output, or raises with the last line that it wrote."""
    with tempfile.TemporaryDirectory() as elsewhere:
        ran = subprocess.run(
            command, cwd=elsewhere, env={**os.environ, **environment}, capture_output=True, text=True, check=False
        )
    if ran.returncode:
        lines = [line for line in (ran.stdout + ran.stderr).splitlines() if line.strip()]
        errors = [line for line in lines if line.lower().startswith("error")] or lines or ["(it said nothing)"]
        raise failing(errors[-1])
    return ran.stdout


def candidates() -> list[Path]:
    """Every file that looks like a Python 3, in the order in which a user would meet it."""
    folders = [Path(folder) for folder in os.get_exec_path()] + [Path("/usr/bin"), Path("/usr/local/bin")]
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    folders += sorted(pyenv.glob("versions/*/bin"))
    named = re.compile(r"python3(\.\d+t?)?")
    return [
        path
        for folder in dict.fromkeys(folders)
        if folder.is_dir()
        for path in sorted(folder.iterdir())
        if named.fullmatch(path.name) and os.access(path, os.X_OK)
    ]


def interpreters() -> list[Interpreter]:
    """Each Python of this machine that penstock is for, once, this one aside; says why others are not."""
    seen = {Path(sys.executable).resolve()}
    found = []
    for path in candidates():
        if path.resolve() in seen:
            continue
        seen.add(path.resolve())
        try:
            facts = json.loads(run(path, "-I", "-c", LOOK, failing=Unavailable))
        except Unavailable:
            continue  # A launcher of a version manager, for a version that is not chosen.
        real = Path(facts["path"])
        if real in seen - {path.resolve()}:
            continue
        seen.add(real)
        version = ".".join(map(str, facts["version"])) + facts["threads"]
        if not facts["cpython"] or tuple(facts["version"]) < OLDEST:
            print(f"  {version} ({path}): passed over, penstock is for CPython {'.'.join(map(str, OLDEST))} and newer")
            continue
        found.append(Interpreter(real, version))
    return found


def build_sdist(folder: Path) -> Path:
    run(
        *(sys.executable, "-m", "build", "--sdist", "--no-isolation", "--outdir", folder, ROOT),
        failing=Broken,
    )
    return next(folder.glob("*.tar.gz"))


def digest(sdist: Path) -> str:
    """What an install is made from; the times in an archive are no part of it."""
    made_from = hashlib.sha256()
    with tarfile.open(sdist) as archive:
        for member in sorted(archive.getmembers(), key=lambda member: member.name):
            inner = member.name.partition("/")[2]
            if member.isfile() and (inner.startswith("src/") or inner in {"pyproject.toml", "setup.py"}):
                content = archive.extractfile(member)
                assert content is not None
                made_from.update(inner.encode() + b"\0" + content.read())
    return made_from.hexdigest()


def install(python: Interpreter, sdist: Path, made_from: str) -> Path:
    """Fills an interpreter's environment, as far as it is not filled; gives the Python in it."""
    inside, base, ours = python.home / "bin" / "python", python.home / "base", python.home / "made-from"
    pip = (sys.executable, "-m", "pip", "--python", inside, "install", "--quiet", "--disable-pip-version-check")
    if not base.exists():
        run(python.path, "-m", "venv", "--clear", "--without-pip", python.home, failing=Unavailable)
        run(*pip, "--only-binary", ":all:", "numpy>=2", "cython>=3", "setuptools>=77", failing=Unavailable)
        base.touch()
    if not ours.exists() or ours.read_text() != made_from:
        run(*pip, "--no-build-isolation", "--no-deps", "--force-reinstall", sdist, failing=Broken)
        ours.write_text(made_from)
    return inside


def join(python: str | Path, *, native: bool = True) -> dict[str, Any]:
    """What tools/smoke.py gives on one Python."""
    smoke = (python, "-I", "-W", "error", ROOT / "tools" / "smoke.py")
    answer: dict[str, Any] = json.loads(run(*smoke, failing=Broken, **({} if native else {"PENSTOCK_NATIVE": "0"})))
    return answer


def main() -> int:
    """Goes through the Pythons; 1 if penstock is broken on one of them."""
    print("Other Pythons on this machine:")
    others = interpreters()
    if not others:
        print("  none")
        return 0
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        expected = join(sys.executable)["batches"]
        sdist = build_sdist(Path(folder))
        made_from = digest(sdist)
        for python in others:
            try:
                inside = install(python, sdist, made_from)
                answers = [join(inside), join(inside, native=False)]
            except Unavailable as error:
                print(f"  {python.version} ({python.path}): passed over, {error}")
                continue
            except Broken as error:
                print(f"  {python.version} ({python.path}): FAILED, {error}")
                failed = True
                continue
            same = all(answer["batches"] == expected for answer in answers)
            failed = failed or not same
            part = "native and twin" if answers[0]["native"] else "NumPy twin (the native part was not built)"
            print(f"  {python.version} ({python.path}): {part}, {'same batches' if same else 'FAILED, other batches'}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
