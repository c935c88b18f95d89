# Everything that this file does it sets up itself: Python 3.11 and make are all it needs.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
SCALE ?= 0.25
SERVE ?= 1

.PHONY: help setup demo test lint format bench up lock clean

help:
	@echo "make demo     synthetic network, whole flow, release, dashboard at http://localhost:8501 (SERVE=0 stops before serving)"
	@echo "make test     all tests"
	@echo "make lint     ruff, types, SQL, import rules"
	@echo "make up       Dagster and the dashboard together: drop a file into the inbox"
	@echo "make bench    benchmarks, as ratios in one run"
	@echo "make setup    the environment .venv/ (every other target calls it)"

setup: .venv/.ready

.venv/.ready: requirements/lock.txt requirements/uv.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' \
	  || { echo "Python 3.11 is needed; found $$($(PYTHON) --version 2>&1). Name one: make PYTHON=/path/to/python3.11"; exit 1; }
	@echo "setting up .venv (a minute or two, once)"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements/uv.txt
	@echo "installing pinned packages"
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/lock.txt \
	  || { echo "trying again with pip (slower)"; \
	       $(BIN)/python -m pip install --disable-pip-version-check --require-hashes --no-deps -r requirements/lock.txt; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: setup
	@$(BIN)/nmip demo --scale $(SCALE) $(if $(filter 0,$(SERVE)),--no-serve)

up: setup
	@$(BIN)/nmip up

test: setup
	@$(BIN)/python -m pytest $(PYTEST_ARGS)

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/sqlfluff lint --processes 2 --disable-progress-bar data_contracts/mappings dbt_project/models dbt_project/tests
	$(BIN)/lint-imports

format: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup
	@$(BIN)/python -m benchmarks

lock: setup
	$(BIN)/uv pip compile requirements/uv.in --universal --python-version 3.11 --generate-hashes --no-annotate \
	  --custom-compile-command "make lock" --quiet --output-file requirements/uv.txt
	$(BIN)/uv pip compile requirements/development.txt --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-annotate \
	  --custom-compile-command "make lock" --quiet --output-file requirements/lock.txt

clean:
	rm -rf .venv .nmip build ./*.egg-info
