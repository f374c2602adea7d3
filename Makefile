# Each target does its own set-up: a virtual environment in .venv, with penstock built into it.
# It needs nothing but Python 3.11 or newer, and a C compiler for the fast path.
# What is installed is installed again only when what it was made from has changed.

PYTHON ?= python3
BIN := .venv/bin
MADE_FROM := Makefile pyproject.toml setup.py $(wildcard src/penstock/*/*.pyx src/penstock/*/*.pxd)

.PHONY: help demo test check bench clean

help:
	@echo "make demo     a small real data set, from files to a trained model (under a minute)"
	@echo "make test     the tests: on the native part, on its NumPy twin, and on every other Python here"
	@echo "make check    style, types, layers, and whether what is built installs elsewhere"
	@echo "make bench    the measurements, into benchmarks/RESULTS.md"
	@echo "make clean    back to a fresh clone"
	@echo
	@echo "make PYTHON=python3.13 ...  takes another Python than python3 (where .venv is new)"

demo: .venv/installed-demo
	$(BIN)/penstock demo

# In two processes, file by file; then, one after the other, what measures the time that passes.
# The second run leaves out what the native part cannot change, and what compares both parts by itself.
TOGETHER := -n 2 --dist loadfile -m "not alone"
TWIN := PENSTOCK_NATIVE=0 $(BIN)/python -m pytest $(addprefix --ignore=tests/,\
  test_layers.py test_packaging.py test_typing.py assemble/test_twins.py)

test: .venv/installed-dev
	$(BIN)/python -m pytest $(TOGETHER)
	$(BIN)/python -m pytest -m alone
	$(TWIN) $(TOGETHER)
	$(TWIN) -m alone
	$(BIN)/python tools/other_pythons.py

check: .venv/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy src
	$(BIN)/python -m pytest -q tests/test_layers.py
	$(BIN)/python tools/check_build.py

bench: .venv/installed-bench
	$(BIN)/python -m benchmarks

clean:
	rm -rf .venv .venv-others build dist src/*.egg-info .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find src tests tools benchmarks examples -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true
	rm -f src/penstock/*/*.so

# An install hides what setup.py says, so the lack of the native part is said here.
.venv/installed-%: .venv/made $(MADE_FROM)
	@rm -f src/penstock/*/_*.so  # A build that fails must not leave the last one in use.
	$(BIN)/python -m pip install --quiet --editable '.[$*]'
	@$(BIN)/python -c 'from penstock.assemble import NATIVE; \
	  NATIVE or print("penstock: the native part was not built (no C compiler?); the NumPy twin does the same, slower")'
	@touch $@

.venv/made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "penstock needs Python 3.11 or newer, and $(PYTHON) is not; name one: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; \
	  exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	@touch $@
