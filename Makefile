# Gradient Explorer. `make` alone lists the targets.

# The Python that makes the virtual environment (3.11 or newer), and where that environment lies.
PYTHON ?= python3
VENV ?= .venv

# An additional package index for torch. On Linux the default wheel from PyPI brings several
# gigabytes of CUDA libraries that nothing here uses. The CPU wheel is far smaller:
#   make run TORCH_INDEX=https://download.pytorch.org/whl/cpu
TORCH_INDEX ?=

# Test processes, and anything to hand on: make run ARGS="--server.port 8600", make test ARGS="-k lstm".
WORKERS ?= 2
ARGS ?=

BIN = $(VENV)/bin
PIP_INSTALL = $(BIN)/python -m pip install --disable-pip-version-check \
	$(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX))
PYTEST = $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile
BROWSERS = chromium chromium-browser google-chrome google-chrome-stable
BROWSER_HINT = sudo apt-get update && sudo apt-get install -y chromium

.DEFAULT_GOAL := help
.PHONY: help run test test-unit test-training bench lint format clean browser

help: ## list these targets
	@echo "Gradient Explorer. The first run sets up $(VENV); later ones start at once."
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)$$/  make \1|\2/p' Makefile | awk -F'|' '{ printf "%-18s %s\n", $$1, $$2 }'
	@echo "Small torch download (CPU only): add TORCH_INDEX=https://download.pytorch.org/whl/cpu"

run: $(VENV)/.run-stamp ## open the dashboard in the browser
	$(BIN)/python -m streamlit run dashboard.py $(ARGS)

# The libraries' own threads only get into each other's way beside several test processes.
test test-unit test-training bench: export OMP_NUM_THREADS = 1
test test-unit test-training bench: export OPENBLAS_NUM_THREADS = 1
test test-unit test-training bench: export MKL_NUM_THREADS = 1
# Every process that a test starts would compile the whole package anew.
test test-unit test-training bench: export PYTHONDONTWRITEBYTECODE =

test: $(VENV)/.dev-stamp browser ## run every test (needs Chromium or Chrome; installs it where it may)
	$(PYTEST) $(ARGS)

test-unit: $(VENV)/.dev-stamp ## run every test that needs neither a page nor a browser (a minute)
	$(PYTEST) --ignore=tests/app --ignore=tests/browser $(ARGS)

test-training: $(VENV)/.dev-stamp ## train every race and translator with several seeds (about ten minutes)
	$(BIN)/python -m pytest -n $(WORKERS) -m training $(ARGS)

bench: $(VENV)/.dev-stamp ## run every benchmark in turn
	@for file in benchmarks/[!_]*.py; do \
		[ -e "$$file" ] || { echo "There are no benchmarks yet."; exit 0; }; \
		echo "== $$file"; \
		PYTHONPATH=. $(BIN)/python "$$file" $(ARGS) || exit 1; \
	done

lint: $(VENV)/.dev-stamp ## check style, types and the import layers
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m mypy
	$(BIN)/lint-imports --no-logo

format: $(VENV)/.dev-stamp ## put the code into the common form
	$(BIN)/python -m ruff check --fix .
	$(BIN)/python -m ruff format .

clean: ## remove caches (delete the virtual environment by hand to set it up anew)
	rm -rf .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis build ./*.egg-info
	find . -path './$(VENV)' -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +

browser: # for the tests in tests/browser
	@for name in $(BROWSERS); do \
		if command -v "$$name" >/dev/null 2>&1; then exit 0; fi; \
	done; \
	sudo="sudo -n"; \
	if [ "$$(id -u)" = 0 ]; then sudo=""; fi; \
	if command -v apt-get >/dev/null 2>&1 && $$sudo true >/dev/null 2>&1; then \
		echo "Installing Chromium for the browser tests ..."; \
		if $$sudo apt-get update -qq >/dev/null && \
			$$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null; \
		then exit 0; fi; \
	fi; \
	echo "No Chromium or Chrome on PATH, so the browser tests will fail. To install one: $(BROWSER_HINT)"

# ---- set-up: a stamp per requirements file, so that nothing is done twice ----

define make_venv
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "Gradient Explorer needs Python 3.11 or newer, and '$(PYTHON)' is not." \
			"Name one: make PYTHON=python3.12 ..." >&2; \
		exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv $(VENV) || { \
		echo "'$(PYTHON)' could not make a virtual environment in $(VENV)." \
			"On Debian and Ubuntu: sudo apt-get install -y python3-venv" >&2; \
		exit 1; }
endef

$(VENV)/.run-stamp: requirements.txt
	$(make_venv)
	$(PIP_INSTALL) -r requirements.txt
	@touch $@

$(VENV)/.dev-stamp: requirements-dev.txt requirements.txt
	$(make_venv)
	$(PIP_INSTALL) -r requirements-dev.txt
	@touch $(VENV)/.run-stamp $@
