# make run: the bridge with config.example.yaml, and an event sent through it. Installs what that needs, and no more.
# make test: everything is proved.  make test-fast: what needs no process of its own, in a minute.
# make explore: properties, with examples that nobody has tried.
# make site: the documents as a site, in site/.  make pictures: those that they show, taken anew.
# make install: what running needs, in .venv.  make dist: the wheel.  make image: the container image, tagged with the version.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SEED ?= 1
MINUTES ?= 5
STORE ?= postgresql
CUTS ?= 100
VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
IMAGE := panelbridge

# What is installed: for running and building, or for testing as well. Each lock has all of it, with hashes.
RUNTIME := $(VENV)/.runtime
DEV := $(VENV)/.dev
RUNTIME_LOCKS := .ci/requirements.lock .ci/requirements-build.lock
DEV_LOCKS := .ci/requirements-dev.lock
PIP := $(BIN)/python -m pip --disable-pip-version-check
COMPILE := $(BIN)/python -m compileall -q -j 0

.PHONY: run test test-fast explore check format lint types imports chaos powercut fuzz bench site pictures install dist image clean

run: $(RUNTIME)
	@$(COMPILE) bridge
	$(BIN)/panelbridge run --config config.example.yaml --demo

test: $(DEV)
	@$(COMPILE) bridge tests
	$(BIN)/pytest --numprocesses auto --dist worksteal

test-fast: $(DEV)
	@$(COMPILE) bridge tests
	$(BIN)/pytest --numprocesses logical --dist worksteal -m "not process" --hypothesis-profile fast

explore: $(DEV)
	@$(COMPILE) bridge tests
	$(BIN)/pytest --numprocesses logical --dist worksteal -m "hypothesis and not process" --hypothesis-profile explore

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
	$(BIN)/python -m tests.chaos --seed $(SEED) --minutes $(MINUTES) --store $(STORE)

fuzz: $(DEV)
	$(BIN)/python -m tests.fuzz --seed $(SEED) --minutes $(MINUTES)

powercut: $(DEV)
	$(BIN)/python -m tests.powercut --cuts $(CUTS) --seed $(SEED)

bench: $(DEV)
	$(BIN)/python -m bench $(MEASURES)

site: $(DEV)
	.ci/site

pictures: $(DEV)
	$(BIN)/python -m tests.documents.pictures $(NAMES)

install: $(RUNTIME)

dist: $(RUNTIME)
	$(PIP) wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .
	@echo dist/$(IMAGE)-$(VERSION)-py3-none-any.whl

image:
	docker build --tag $(IMAGE):$(VERSION) --tag $(IMAGE) .

$(RUNTIME): $(RUNTIME_LOCKS) pyproject.toml
	$(call install,$(RUNTIME_LOCKS))
	touch $@

$(DEV): $(DEV_LOCKS) $(RUNTIME_LOCKS) pyproject.toml
	$(call install,$(DEV_LOCKS))
	touch $(RUNTIME) $@

# Shows what it fetches; what is compiled here is not compiled by each process that starts.
define install
@echo "installing $$(cat $(1) | grep -c ==) packages into $(VENV), once"
$(PYTHON) -m venv $(VENV)
$(PIP) install --no-compile --require-hashes $(addprefix -r ,$(1))
$(PIP) install --quiet --no-deps --no-build-isolation --editable .
$(COMPILE) $(VENV)/lib
endef

clean:
	rm -rf $(VENV) dist
