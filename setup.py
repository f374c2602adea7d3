"""Builds the native parts, where that can be done; everything else stands in pyproject.toml.

penstock is complete without it: its NumPy twin gives the same bytes, slower.
So a machine without a C compiler gets an install that works, and one line on stderr that says what it lacks.
"""

import sys
from pathlib import Path

import numpy as np
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

ROOT = Path("src")
SOURCES = sorted(ROOT.glob("penstock/*/_*.pyx"))
# Products and sums are rounded one by one, as NumPy's are, also where a processor could do both at once.
EXACT = ["-ffp-contract=off"]
WARNINGS = ["-Wall", "-Wextra", "-Wno-unused-parameter", "-Wno-unused-function", "-Wno-missing-field-initializers"]


class OptionalBuild(build_ext):
    """Builds an extension, or says once why it could not."""

    def initialize_options(self) -> None:
        super().initialize_options()
        self.cython_c_in_temp = True  # No generated C among the sources.
        self.failed = False

    def build_extension(self, ext: Extension) -> None:
        if self.failed:  # The others would fail for the same reason; it is said once.
            return
        try:
            super().build_extension(ext)
        except Exception as error:  # Cython, setuptools and the operating system each have exceptions of their own.
            self.failed = True
            reason = " ".join(str(error).split())
            print(
                f"penstock: built without its native part ({type(error).__name__}: {reason}); "
                "the NumPy twin does the same work, slower",
                file=sys.stderr,
            )


native = [
    Extension(
        ".".join(source.relative_to(ROOT).with_suffix("").parts),
        [str(source)],
        include_dirs=[np.get_include()],
        define_macros=[("NPY_NO_DEPRECATED_API", "NPY_2_0_API_VERSION"), ("NPY_TARGET_VERSION", "NPY_2_0_API_VERSION")],
        extra_compile_args=["/O2", "/W3"] if sys.platform == "win32" else ["-O3", *EXACT, *WARNINGS],
        optional=True,
    )
    for source in SOURCES
]

setup(ext_modules=native, cmdclass={"build_ext": OptionalBuild})
