# make verify: the environment, every reference layer verified, reports/index.html
# make test:   the environment, and everything CI runs

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.complete
WORKERS ?= 2
# The same examples every time; `make verify SEED=` draws fresh ones, and prints their seed.
SEED ?= 1
# One thread a process: the workers share the cores.
export OMP_NUM_THREADS ?= 1
export KERAS_BACKEND := torch

.PHONY: setup verify test lint bench clean

setup: $(STAMP)

# torch goes first, by the exact version of constraints.txt: elsewhere an unpinned torch may bring
# the CUDA build, several gigabytes of it. TORCH_INDEX chooses another wheel index for torch alone.
$(STAMP): pyproject.toml constraints.txt
	@echo "gradcheck: making the environment in $(VENV) (once)"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX)) torch
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[torch,keras,jax,campaign,dev]"
	@touch $@

verify: $(STAMP)
	@echo "gradcheck: verifying the reference library"
	$(BIN)/python -m pytest suites/ -n $(WORKERS) --gradcheck-report=reports $(if $(SEED),--gradcheck-seed=$(SEED))
	@echo "gradcheck: wrote reports/index.html"

test: $(STAMP)
	$(BIN)/python -m pytest tests/ -n $(WORKERS) --durations=15 -p no:randomly
	$(BIN)/python -m pytest suites/ -n $(WORKERS) --gradcheck-report=reports $(if $(SEED),--gradcheck-seed=$(SEED))

lint: $(STAMP)
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m mypy

bench: $(STAMP)
	$(BIN)/python -m benchmarks

clean:
	rm -rf $(VENV) build dist *.egg-info reports/index.html reports/results.jsonl reports/artifacts
