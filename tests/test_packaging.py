"""What an install has in it; tools/check_build.py then uses one elsewhere."""

import importlib.metadata
import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

import penstock
from penstock.assemble import NATIVE

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
NATIVE_SOURCE = ROOT / "src" / "penstock" / "assemble" / "_native.pyx"


def build(kind: str, source: Path, into: Path, **environment: str) -> tuple[Path, str]:
    """Builds an sdist or a wheel with what this environment has; gives it, and what the build said on stderr."""
    ran = subprocess.run(
        [sys.executable, "-m", "build", f"--{kind}", "--no-isolation", "--outdir", str(into), str(source)],
        cwd=into,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return next(into.glob("*.tar.gz" if kind == "sdist" else "*.whl")), ran.stderr


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source archive, unpacked."""
    for needed in ("build", "Cython", "setuptools"):
        pytest.importorskip(needed)
    folder = tmp_path_factory.mktemp("sdist")
    archive, _ = build("sdist", ROOT, folder)
    with tarfile.open(archive) as files:
        files.extractall(folder, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))  # Since 3.11.4.
    return next(path for path in folder.iterdir() if path.is_dir())


def can_compile() -> bool:
    compiler = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc")[0]
    return shutil.which(compiler) is not None and Path(sysconfig.get_path("include"), "Python.h").exists()


def test_the_version_stands_in_one_place():
    """Two places are one too many to remember at a release."""
    holders = [
        str(path.relative_to(ROOT))
        for path in [ROOT / "setup.py", *(ROOT / "src").rglob("*.py")]
        if PROJECT["version"] in path.read_text(encoding="utf-8")
    ]

    assert importlib.metadata.version("penstock") == PROJECT["version"]
    assert holders == []


def test_numpy_is_the_only_thing_an_install_needs():
    """Whoever feeds one framework need not install the others."""
    assert [name.partition(">")[0] for name in PROJECT["dependencies"]] == ["numpy"]


def test_the_command_is_there():
    """`penstock` on the command line."""
    (command,) = importlib.metadata.entry_points(group="console_scripts", name="penstock")

    assert callable(command.load())


def test_a_type_checker_reads_the_annotations():
    """Without the marker (PEP 561), every annotation would count for nothing outside."""
    assert Path(penstock.__file__).with_name("py.typed").exists()


@pytest.mark.skipif(os.environ.get("PENSTOCK_NATIVE") == "0", reason="the NumPy twin was asked for")
@pytest.mark.skipif(not can_compile(), reason="no C compiler, or no Python headers")
def test_the_native_part_is_there_where_it_can_be_built():
    """A build that fails falls back on the twin; where there is a compiler that is a fault of ours."""
    assert NATIVE


@pytest.mark.slow
def test_an_sdist_holds_all_that_a_build_and_a_test_run_need(sdist: Path):
    """The native source is no Python file; it comes along only because it is named."""
    needed = [
        "LICENSE",
        "setup.py",
        "src/penstock/py.typed",
        "conftest.py",
        "tests/test_surface.py",
        "tools/smoke.py",
        "Makefile",
    ]
    needed += [str(NATIVE_SOURCE.relative_to(ROOT))]

    assert [path for path in needed if not (sdist / path).exists()] == []
    assert list(sdist.rglob("*.so")) == []
    assert list((sdist / "src").rglob("*.c")) == []


@pytest.mark.slow
def test_a_build_without_a_compiler_succeeds_and_says_so_once(sdist: Path, tmp_path: Path):
    """The twin is complete: a machine without a compiler gets all of penstock, and knows what it lacks."""
    wheel, said = build("wheel", sdist, tmp_path, CC="false")
    with zipfile.ZipFile(wheel) as files:
        names = files.namelist()

    assert said.count("penstock: built without its native part") == 1
    assert [name for name in names if name.endswith((".so", ".pyd", ".pyx", ".c"))] == []
    assert {"penstock/__init__.py", "penstock/py.typed"} <= set(names)
    inside = {path.relative_to(ROOT / "src").as_posix() for path in (ROOT / "src" / "penstock").rglob("*.py")}
    assert inside <= set(names)
    data = {
        path.relative_to(ROOT / "src").as_posix()
        for path in (ROOT / "src" / "penstock" / "data").rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    assert data <= set(names)
