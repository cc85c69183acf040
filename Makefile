# make demo | test | check | package | bench | picture | pictures | docs | audit — each installs what it needs into .venv first.
# Every package is installed by the hashes of a lock file; `make lock` writes the lock files.
PYTHON ?= $(shell command -v python3.13 || command -v python3)
BIN := .venv/bin

.PHONY: demo test check package bench picture pictures docs audit format lock clean

demo: .venv/installed
	@$(BIN)/python -m sandbox demo

test: .venv/installed
	@$(BIN)/python -m tests.browser.chromium
	$(BIN)/python -m pytest

check: .venv/installed .venv/checkov/installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	sh infra/checkov.sh $(CURDIR)/.venv/checkov/bin/checkov

# Build wheels and sdists into build/dist, install the product into an empty environment, and try it there.
package: .venv/installed
	@rm -rf build/dist build/package
	$(BIN)/python -m hatchling build -d build/dist
	cd sandbox && ../$(BIN)/python -m hatchling build -d ../build/dist
	@$(PYTHON) -m venv build/package
	build/package/bin/python $(INSTALL) -r requirements.txt
	$(BIN)/python -m pip --python build/package/bin/python install --no-deps --no-index build/dist/mlevents-*.whl
	$(BIN)/python -m pip --python build/package/bin/python check
	MLEVENTS_PACKAGE_PYTHON=$(CURDIR)/build/package/bin/python $(BIN)/python -m pytest -n 0 tests/package

bench: .venv/installed
	@$(BIN)/python -m bench

# Play the demo's rollouts, and draw docs/rollout.svg from what they print.
picture: .venv/installed
	@$(BIN)/python -m sandbox.demo.picture

# Take the pictures of docs/console.md from a sandbox.
pictures: .venv/installed
	@$(BIN)/python -m tests.browser.chromium
	@$(BIN)/python -m tests.browser.pictures

# Write the tables of the documentation that come from the code.
docs: .venv/installed
	@$(BIN)/python -m tests.docs.rights_tables

format: .venv/installed
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# What is deployed, as a list for others (CycloneDX), and its known vulnerabilities as PyPI reports them.
# --strict: a package that PyPI does not answer for fails the audit.
audit: .venv/tools/installed
	@mkdir -p build
	.venv/tools/bin/cyclonedx-py requirements requirements.txt --pyproject pyproject.toml --output-reproducible -o build/sbom.json
	.venv/tools/bin/pip-audit --strict --require-hashes --no-deps --disable-pip --requirement requirements.txt

lock: .venv/tools/installed
	$(UV) pyproject.toml -o requirements.txt
	$(UV) pyproject.toml --group dev -c requirements.txt -o requirements-dev.txt
	$(UV) infra/tools.in -o infra/tools.txt
	$(UV) infra/checkov.in -o infra/checkov.txt

UV := .venv/tools/bin/uv pip compile --quiet --upgrade --universal --generate-hashes --python-version 3.13 \
	--prerelease if-necessary --no-header --no-emit-index-url --no-emit-find-links
INSTALL := -m pip install --quiet --disable-pip-version-check --require-hashes

.venv/installed: requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 13) and "mlevents needs Python 3.13, but $(PYTHON) is " + sys.version.split()[0] + ": install 3.13, or name it with make PYTHON=…")'
	@echo "Installing into .venv (once; about a minute) …"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python $(INSTALL) -r requirements-dev.txt
	@touch $@

# checkov pins packages that mlevents needs newer, so it has an environment of its own.
.venv/checkov/installed: infra/checkov.txt | .venv/installed
	@echo "Installing checkov into .venv/checkov (once) …"
	@$(PYTHON) -m venv .venv/checkov
	@.venv/checkov/bin/python $(INSTALL) -r infra/checkov.txt
	@touch $@

.venv/tools/installed: infra/tools.txt | .venv/installed
	@echo "Installing the tools of make lock and make audit into .venv/tools (once) …"
	@$(PYTHON) -m venv .venv/tools
	@.venv/tools/bin/python $(INSTALL) -r infra/tools.txt
	@touch $@

clean:
	rm -rf .venv build .mypy_cache .ruff_cache .pytest_cache .hypothesis
