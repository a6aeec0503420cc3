# make run: the bridge with config.example.yaml, and an event sent through it.
# make test: everything is proved.  make test-fast: what needs no process of its own, in a minute.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SEED ?= 1
MINUTES ?= 5
CUTS ?= 100
DEV := $(VENV)/.dev

.PHONY: run test test-fast check format lint types imports chaos powercut fuzz bench clean

run: $(DEV)
	$(BIN)/panelbridge run --config config.example.yaml --demo

test: $(DEV)
	$(BIN)/pytest --numprocesses auto --dist worksteal

test-fast: $(DEV)
	$(BIN)/pytest --numprocesses logical --dist worksteal -m "not process" --hypothesis-profile fast

check: lint types imports test

format: $(DEV)
	$(BIN)/ruff format bridge tests bench
	$(BIN)/ruff check --fix bridge tests bench

lint: $(DEV)
	$(BIN)/ruff format --check bridge tests bench
	$(BIN)/ruff check bridge tests bench

types: $(DEV)
	$(BIN)/mypy

imports: $(DEV)
	$(BIN)/lint-imports

chaos: $(DEV)
	$(BIN)/python -m tests.chaos --seed $(SEED) --minutes $(MINUTES)

fuzz: $(DEV)
	$(BIN)/python -m tests.fuzz --seed $(SEED) --minutes $(MINUTES)

powercut: $(DEV)
	$(BIN)/python -m tests.powercut --cuts $(CUTS) --seed $(SEED)

bench: $(DEV)
	$(BIN)/python -m bench

$(DEV): .ci/requirements-dev.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r .ci/requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $(DEV)

clean:
	rm -rf $(VENV) dist
