# Everything happens in $(VENV), which the first target that needs it makes; a second run installs
# nothing unless pyproject.toml has changed. Another interpreter: make test PYTHON=/path/to/python3
PYTHON ?= python3
# The whole suite runs in so many processes, each of which takes up to 2 GB.
JOBS ?= 2
# What `make mutation` tries: a target of tools/mutation/targets.py, and files of it if not all.
MUTANTS ?= decisions
VENV ?= .venv
BIN = $(VENV)/bin
PIP_INSTALL = $(BIN)/python -m pip install -qq --disable-pip-version-check --editable

.NOTPARALLEL:
.DELETE_ON_ERROR:
.PHONY: help demo test test-all coverage-table mutation docs-test lint format types contract check lowest bench clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 20

demo: $(VENV)/.installed ## install, then train on the house prices that ship with the project
	@$(BIN)/retrograd demo

test: $(VENV)/.installed-test ## install what the tests need, then run them all, the docs' examples too
	@$(BIN)/python -m pytest -n $(JOBS) --dist worksteal

test-all: $(VENV)/.installed-test ## the tests with every sample of PyTorch's operation database
	@RETROGRAD_SAMPLES=all $(BIN)/python -m pytest -n $(JOBS) --dist worksteal

coverage-table: $(VENV)/.installed-test ## run every sample, and write docs/coverage.md, docs/coverage-modules.md and docs/coverage-api.md
	@PYTHONPATH=tests $(BIN)/python -m opinfo.report
	@PYTHONPATH=tests $(BIN)/python -m torchdb.report
	@$(BIN)/python tools/coverage_api.py

mutation: $(VENV)/.installed-mutation ## try mutants, of MUTANTS=ops (hours) or decisions; goes on where it was, writes docs/mutation.md
	@OMP_NUM_THREADS=1 $(BIN)/python tools/mutation $(MUTANTS)

docs-test: $(VENV)/.installed-test ## run the examples in the README and the docs
	@$(BIN)/python -m pytest tests/test_docs.py

lint: $(VENV)/.installed-dev ## style and formatting (ruff)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

format: $(VENV)/.installed-dev ## mend what ruff can mend
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

types: $(VENV)/.installed-dev ## static types (mypy, strict)
	@$(BIN)/mypy

contract: $(VENV)/.installed-dev ## imports point one way (import-linter)
	@$(BIN)/lint-imports --no-logo

check: test lint types contract ## test, lint, types and contract

# The lower bounds in pyproject.toml, as pins, hold while the same `make test` installs and runs.
lowest: .venv-lowest/bounds.txt ## the tests on the oldest versions that pyproject.toml admits
	@PIP_CONSTRAINT=$(abspath $<) $(MAKE) --no-print-directory test VENV=.venv-lowest

.venv-lowest/bounds.txt: pyproject.toml
	@mkdir -p $(@D)
	@sed -n '/^dependencies = \[/,/^\]/ s/^ *"\([a-z0-9-]*\)>=\([0-9.]*\)",$$/\1==\2/p' $< > $@

bench: $(VENV)/.installed-test ## time the training step beside JAX by hand and PyTorch
	@$(BIN)/python benchmarks/step.py

clean: ## remove the environments and the caches
	rm -rf .venv .venv-lowest .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache .xla_cache

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Retrograd needs Python 3.11 or newer; $(PYTHON) is: $$($(PYTHON) --version 2>&1)." >&2; \
	  echo "Name another: make $(MAKECMDGOALS) PYTHON=/path/to/python3" >&2; exit 1; }
	@echo "Making the environment $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.installed: pyproject.toml $(VENV)/.made
	@echo "Installing Retrograd into $(VENV): a minute the first time"
	@$(PIP_INSTALL) .
	@touch $@

$(VENV)/.installed-test: pyproject.toml $(VENV)/.made
	@echo "Installing Retrograd and what its tests need (PyTorch among it) into $(VENV): minutes the first time"
	@$(PIP_INSTALL) '.[test]'
	@touch $@

# Cosmic Ray is pinned: each release has other mutants.
$(VENV)/.installed-mutation: $(VENV)/.installed-test
	@$(BIN)/python -m pip install -qq --disable-pip-version-check cosmic-ray==8.7.0 'coverage>=7.10'
	@touch $@

$(VENV)/.installed-dev: pyproject.toml $(VENV)/.made
	@echo "Installing Retrograd and its code checks into $(VENV)"
	@$(PIP_INSTALL) '.[dev]'
	@touch $@
