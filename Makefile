# The vocabulary of this project. `make help` lists it.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
TESTABLE := $(VENV)/.testable
MEASURABLE := $(VENV)/.measurable
WORKERS ?= 2
LOCKED := --quiet --universal --generate-hashes --no-annotate --python-version 3.11 --custom-compile-command 'make lock'

.DEFAULT_GOAL := help
.PHONY: help demo test lint types rooms unit tools prove bench profile image lock chart clean

help:  ## say what there is
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

demo: $(READY)  ## set up, and run the demo: a slow backend, two sidecars, one embedded Valkey
	@$(BIN)/sapwood demo $(ARGS)

test: lint types rooms tools unit  ## set up, then check style, types, rooms, and run the tests

lint: $(TESTABLE)  ## style
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(TESTABLE)  ## types
	$(BIN)/mypy

rooms: $(TESTABLE)  ## who imports whom
	$(BIN)/lint-imports

unit: $(TESTABLE)  ## the tests; first those of the pure rooms, all of whose branches their twins must reach
	$(BIN)/pytest -q -n $(WORKERS) tests/unit/message tests/unit/policy \
		--cov=proxy.message --cov=proxy.policy --cov-branch --cov-report=term --cov-fail-under=100
	$(BIN)/pytest -q -n $(WORKERS) --dist loadgroup --ignore tests/unit/message --ignore tests/unit/policy -m "not prove"

prove: $(TESTABLE)  ## what takes longer: results with date and machine go to bench/results (ARGS="soak --short")
	@bench/tools.sh prove
	$(BIN)/python bench/prove.py $(ARGS)

bench: $(MEASURABLE)  ## Sapwood beside nginx, Varnish and HAProxy, in less than 15 minutes (ARGS="--rounds 3 --only hot,miss")
	@bench/tools.sh bench
	$(BIN)/python -m bench.peers $(ARGS)

profile: $(MEASURABLE)  ## where the time goes in one scenario of bench (ARGS="miss --native")
	@bench/tools.sh bench
	$(BIN)/python -m bench.peers.profiling $(or $(ARGS),hot)

image: $(TESTABLE)  ## build the image and try it as Kubernetes would run it: needs root; results go to bench/results
	@bench/tools.sh image
	$(BIN)/python deploy/image/try.py

lock: $(READY)  ## pin what the image is made of, with hashes
	$(BIN)/uv pip compile $(LOCKED) pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile $(LOCKED) --group build -o requirements-build.lock

tools: $(TESTABLE)  ## the tools that come from Debian, and helm; a missing one that cannot be installed is a failure
	@bench/tools.sh
	@$(BIN)/python bench/charttools.py >/dev/null

chart: $(TESTABLE)  ## bring into step what of the chart is made from something else
	$(BIN)/python helm/step.py

clean:  ## remove what was set up
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage dist

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Sapwood needs Python 3.11 or later; name one with: make $(MAKECMDGOALS) PYTHON=/path/to/python3" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip uv

# Installed anew only when what is to be installed changed.
$(READY): pyproject.toml | $(VENV)/bin/python
	$(BIN)/uv pip install --quiet --python $(BIN)/python --editable '.[embedded]'
	@touch $@

$(MEASURABLE): pyproject.toml $(READY)
	$(BIN)/uv pip install --quiet --python $(BIN)/python --group bench
	@touch $@

$(TESTABLE): pyproject.toml $(READY)
	$(BIN)/uv pip install --quiet --python $(BIN)/python --group test
	@touch $@
