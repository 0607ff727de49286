# What a newcomer needs, one word each. README.md gives the PowerShell lines that these stand for.
# Not here: anything that a Python command can say (`passerelle --help`).

PYTHON ?= $(firstword $(foreach name,python3.13 python3.12 python3.11 python3,$(shell $(name) -c "import sys; sys.version_info >= (3, 11) and print('$(name)')" 2>/dev/null)))
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
export PASSERELLE_HOME ?= $(CURDIR)/var

.PHONY: run test test-duckdb-next search check contracts bench load serve lock clean python

run: $(VENV)/.installed ## install, make the demonstration, and say what came of it
	$(BIN)/passerelle demo

serve: $(VENV)/.installed ## open the portal and Dagster on this machine
	$(BIN)/passerelle serve

# A process a core, a file of tests at a time, in the order of tests/conftest.py: long ones first.
PYTEST_ARGS ?= -n auto --dist loadfile --no-loadscope-reorder
SEARCH_S ?= 600

test: $(VENV)/.installed-dev ## every test
	$(BIN)/python -m pytest $(PYTEST_ARGS)

test-duckdb-next: $(VENV)/.installed-dev ## every test with DuckDB 2, put before the one that is installed
	$(PIP) install --upgrade --no-deps --target $(VENV)/duckdb-next "duckdb>=2,<3"
	PYTHONPATH="$(CURDIR)/$(VENV)/duckdb-next" $(BIN)/python -m pytest $(PYTEST_ARGS)

search: $(VENV)/.installed-dev ## new random cases for every property, for SEARCH_S seconds; what breaks one is kept
	$(BIN)/python -m tests.search --seconds $(SEARCH_S)

check: $(VENV)/.installed-dev ## style, which way imports run, types, and that every generated file is fresh
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports --no-cache
	$(BIN)/mypy
	$(BIN)/python -m schemas.render --check
	VIRTUAL_ENV="$(CURDIR)/$(VENV)" $(BIN)/dg check defs

contracts: $(VENV)/.installed ## what other programs read of the contracts, in build/contracts
	$(BIN)/passerelle contract render build/contracts

bench: $(VENV)/.installed-dev ## our speed beside what else a person would use
	$(PIP) install -e ".[bench]"
	$(BIN)/python -m benchmarks $(BENCH_ARGS)

load: $(VENV)/.installed-dev ## the portal with two hundred people and fifty downloads at once
	$(BIN)/python -m benchmarks.load $(LOAD_ARGS)

LOCK := uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-strip-extras --quiet \
    --no-annotate --no-emit-index-url --no-emit-find-links pyproject.toml requirements.build
# What is locked for every machine; what one kind of machine alone needs, tests may need on all.
LOCKED = $$(sed -nE "/;/! s/^([a-z0-9-]+).*==.*/--no-emit-package \1/p" requirements.lock)

# All is resolved together, since tests ask for more; then each package stands in one of the two.
lock: ## pin every package again (maintainers; needs uv)
	mkdir -p $(VENV) && cat requirements.lock requirements-dev.lock > $(VENV)/together.lock
	$(LOCK) --extra dev --output-file $(VENV)/together.lock
	$(LOCK) --constraint $(VENV)/together.lock --output-file requirements.lock
	$(LOCK) --extra dev --constraint requirements.lock $(LOCKED) --output-file requirements-dev.lock

clean: ## remove what was installed and made here
	rm -rf $(VENV) var

python:
	@test -n "$(PYTHON)" || { echo "Passerelle needs Python 3.11, 3.12 or 3.13: install it, then run make again."; exit 1; }
	@$(PYTHON) -c "import venv, ensurepip" 2>/dev/null || { echo "Python lacks its venv module: on Debian and Ubuntu, run: apt-get install python3-venv"; exit 1; }

$(VENV)/.installed: requirements.lock pyproject.toml | python
	@echo "Installing into $(VENV) (a few minutes the first time) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) install --require-hashes -r requirements.lock
	$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.installed-dev: requirements-dev.lock $(VENV)/.installed
	$(PIP) install --require-hashes -r requirements.lock -r requirements-dev.lock
	@touch $@
