# Everything happens in .venv; nothing is installed elsewhere. PIP_EXTRA_INDEX_URL is honoured.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
DEMO := results/demo

.PHONY: help setup demo test test-long lint format bench clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 12

setup: $(READY) ## create .venv with the exact versions of constraints.txt

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
		|| { echo "memophase needs Python 3.11 to 3.13: make PYTHON=python3.11 $(MAKECMDGOALS)"; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "installing into .venv (about 0.5 GB with a CPU build of torch; several GB where pip picks a CUDA build)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

demo: setup ## train a small sweep on this machine and write its report
	$(BIN)/memophase run demo --results $(DEMO) --report
	@echo "open $(DEMO)/report/index.html"

test: setup ## the whole suite but for the long ones
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist worksteal -m "not long"

test-long: setup ## statistical, chaos and growth suites
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist worksteal -m long --durations 0

lint: setup ## style, types, and imports that go down the floors only
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports

bench: setup ## measure speed beside its ceiling; PEER=DIR names a checkout of public code to compare
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks $(if $(PEER),--peer $(PEER))

format: setup ## rewrite in the project's style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean: ## remove .venv and caches; results stay
	rm -rf .venv .pytest_cache .ruff_cache .hypothesis build *.egg-info
