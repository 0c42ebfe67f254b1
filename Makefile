# One-line commands; everything is installed into .venv from the hash-locked requirements.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
DEV_STAMP := .venv/.installed-dev

.PHONY: serve demo test check lint bench lock clean

$(STAMP): requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(DEV_STAMP): requirements-dev.lock $(STAMP)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

serve: $(STAMP)   ## install what is missing, start the server, print where it listens
	@exec $(BIN)/clipstead serve

demo: $(STAMP)    ## practice world and server together, a walk through both
	@exec $(BIN)/clipstead demo

test: $(DEV_STAMP)   ## install and run the whole suite
	$(BIN)/pytest

lint: $(DEV_STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

check: lint test  ## all gates

bench: $(DEV_STAMP)  ## the measurements of bench/README.md, side by side
	$(BIN)/python -m bench

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache build *.egg-info src/*.egg-info
