# make demo | test | check | bench — each installs what it needs into .venv first.
PYTHON ?= $(shell command -v python3.13 || command -v python3)
BIN := .venv/bin

.PHONY: demo test check bench format lock clean

demo: .venv/installed
	@$(BIN)/python -m sandbox demo

test: .venv/installed
	$(BIN)/python -m pytest

check: .venv/installed .venv/checkov/installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	sh infra/checkov.sh $(CURDIR)/.venv/checkov/bin/checkov

bench: .venv/installed
	@$(BIN)/python -m bench

format: .venv/installed
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: .venv/installed
	$(BIN)/pip install --quiet uv
	$(BIN)/uv pip compile $(LOCK) pyproject.toml -o requirements.txt
	$(BIN)/uv pip compile $(LOCK) pyproject.toml --group dev -c requirements.txt -o requirements-dev.txt

LOCK := --quiet --upgrade --python-version 3.13 --prerelease if-necessary --no-header --no-emit-index-url --no-emit-find-links

.venv/installed: requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 13) and "mlevents needs Python 3.13, but $(PYTHON) is " + sys.version.split()[0] + ": install 3.13, or name it with make PYTHON=…")'
	@echo "Installing into .venv (once; about a minute) …"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

# checkov pins packages that mlevents needs newer, so it has an environment of its own.
.venv/checkov/installed: infra/checkov.txt | .venv/installed
	@echo "Installing checkov into .venv/checkov (once) …"
	@$(PYTHON) -m venv .venv/checkov
	@.venv/checkov/bin/python -m pip install --quiet --disable-pip-version-check -r infra/checkov.txt
	@touch $@

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis
