# Set-up and main jobs. Everything lives in .venv/ and build/ of this checkout.
PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed
NOTEBOOK := notebooks/01_first_chat.ipynb

.PHONY: demo test soak lab bench clean

# Run the first notebook headless, print its questions and answers, leave build/01_first_chat.html
demo: $(INSTALLED)
	$(BIN)/python notebooks/run.py $(NOTEBOOK)

# Every check: lint, types, floors, tests (unit, real kernel, notebooks, browser)
test: $(INSTALLED) chromium
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not browser"
	$(BIN)/python -m pytest -m browser

# The pool under 20,000 random steps, with new dice each time (minutes)
soak: $(INSTALLED)
	SOAK=1 $(BIN)/python -m pytest -s tests/test_pool_machine.py

# JupyterLab on the first notebook
lab: $(INSTALLED)
	$(BIN)/jupyter lab $(if $(filter 0,$(shell id -u)),--allow-root) $(NOTEBOOK)

# Side by side with the bare engine; prints the ratios that benchmarks/README.md records
bench: $(INSTALLED)
	$(BIN)/python -m benchmarks

clean:
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

MODERN := -c 'import sys; sys.exit(sys.version_info < (3, 11))'

# A venv that lacks pip or has an old Python is of no use: it is made anew.
$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) $(MODERN) || { echo "Python 3.11 or newer is needed: make PYTHON=python3.12"; exit 1; }
	@$(BIN)/python $(MODERN) 2>/dev/null && $(BIN)/python -m pip --version >/dev/null 2>&1 || \
	  { rm -rf .venv; $(PYTHON) -m venv .venv; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@

# The browser tests need Chromium; a Debian machine gets it here, others bring their own.
.PHONY: chromium
chromium:
	@command -v chromium >/dev/null || \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    apt-get update -qq && apt-get install -y -qq chromium fonts-dejavu-core >/dev/null || \
	      echo "chromium could not be installed: the browser tests will be skipped"; \
	  else echo "no chromium on the PATH: the browser tests will be skipped"; fi
