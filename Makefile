# `make lab` opens the lab, `make test` tests it, `make` alone lists the rest; whichever comes first sets everything up in .venv.
# Needs GNU make (3.81, as on macOS, is enough) and Python 3.11 or newer with venv. PYTHON= picks one, ARGS= is handed on.

PYTHON ?= python3
ARGS ?=

FIRST := notebooks/00_start_here.ipynb
BASE := $(patsubst ~/%,$(HOME)/%,$(PYTHON))# not every shell expands the ~ of PYTHON=~/…
PY := .venv/bin/python
LOWEST := .venv/lowest/bin/python
BOOKS := find notebooks -name '*.ipynb' -not -path '*/.ipynb_checkpoints/*'

# JupyterLab keeps its token and listens on 127.0.0.1, as it does by itself. It shall ask no network: for extensions, news and updates.
LAB := --ServerApp.root_dir="$(CURDIR)" --LabApp.default_url=/lab/tree/$(FIRST) --LabApp.extension_manager=readonly
QUIET := {"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": true}}
ROOT := $(if $(filter 0,$(shell id -u)),--allow-root)# in a container

.PHONY: help lab test test-long test-lowest test-browser screenshot check format demo bench corpus vintages matrix notebooks constraints site test-site solved usb clean FORCE
.NOTPARALLEL:

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' Makefile

lab: .venv/has-lab ## open the lab in the browser (ARGS=--no-browser on a machine without a screen)
	$(PY) -m jupyterlab $(LAB) $(ROOT) $(ARGS)

test: .venv/has-dev ## run the tests (ARGS="-k name" runs some)
	$(PY) -m labkit vintages fetch
	$(PY) -m pytest -n 4 --dist worksteal $(ARGS)

test-long: .venv/has-dev ## run the comparisons of both wires, in real time and one after the other (LABKIT_SEED= tries others)
	$(PY) -m pytest -m long $(ARGS)

test-lowest: .venv/has-lowest ## run the tests on the oldest libraries that pyproject.toml promises, in .venv/lowest
	$(LOWEST) -m labkit vintages fetch
	$(LOWEST) -m pytest -n 4 --dist worksteal $(ARGS)

test-browser: .venv/has-browser ## run the lab in a real browser, which has to be there (CHROMIUM= says where)
	$(PY) -m pytest -n 2 --dist worksteal tests/browser $(ARGS)

screenshot: .venv/has-browser ## make the README's picture of explore() anew: data/explore.png
	$(PY) tests/browser/screenshot.py data/explore.png

check: .venv/has-dev ## lint, format and types of code and notebooks
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	$(BOOKS) -exec $(PY) -m nbstripout --keep-id --verify {} +

format: .venv/has-dev ## mend what can be mended by itself
	$(PY) -m ruff check --fix-only .
	$(PY) -m ruff format .
	$(BOOKS) -exec $(PY) -m nbstripout --keep-id {} +

demo: .venv/has-lab ## run the fruit fly in the terminal, and draw it: demo.png
	$(PY) -m labkit run --ping-interval 4 --ping-timeout 3 --close-timeout 2 --cut 9 --wire loopback --figure demo.png $(ARGS)

bench: .venv/has-bench ## print the numbers, each beside its reference
	$(PY) tests/bench.py $(ARGS)

corpus: .venv/has-dev ## hold the doctor against what people paste: its confusion matrix
	$(PY) tests/pasted.py $(ARGS)

vintages: .venv/has-lab ## fetch old versions of websockets once, for notebook 05 (ARGS=--all: every one of the matrix)
	$(PY) -m labkit vintages fetch $(ARGS)

matrix: .venv/has-lab ## run every cell of the matrix that this machine can, and record it in data (some minutes)
	$(PY) -m labkit vintages fetch --all
	$(PY) -m labkit matrix $(ARGS)

notebooks: .venv/has-dev ## write the learners' notebooks, their map and the teacher's guide from the solutions
	$(PY) notebooks/solutions/generate.py $(ARGS)

constraints: .venv/made ## pin anew the set that is known to work: constraints.txt
	rm -rf .venv/fresh && $(PY) -m venv .venv/fresh
	.venv/fresh/bin/python -m pip install --quiet --disable-pip-version-check ".[dev,bench,browser]"
	{ sed '/^[^#]/,$$d' constraints.txt; .venv/fresh/bin/python -m pip freeze --exclude labkit; } > .venv/fresh/constraints.txt
	mv .venv/fresh/constraints.txt constraints.txt && rm -rf .venv/fresh

site: .venv/has-site ## build the lab for any browser, with nothing to install: the folder site (ARGS=--serve shows it)
	PYTHONPATH=.:notebooks .venv/site/bin/python web/build.py $(ARGS)

test-site: .venv/has-browser site ## build the site, and try it in a real browser
	$(PY) -m pytest -m site tests/browser/test_site.py $(ARGS)

solved: .venv/has-dev ## write the solved course as pages to read, for a teacher: the folder solved
	$(PY) -m labkit vintages fetch
	$(PY) web/solved.py

usb: .venv/has-usb site ## fill a folder for a memory stick, for classes without a network: usb (some 300 MB are fetched)
	PYTHONPATH=.:notebooks .venv/usb/bin/python web/usb.py $(ARGS)

clean: ## remove all that make made, the environment too
	rm -rf .venv site solved usb .pytest_cache .mypy_cache .ruff_cache .hypothesis demo.png
	find . -name __pycache__ -prune -exec rm -rf {} +

# The environment. While it is whole, .venv/made stands in it and says for which Python and which folder; an installation moves it
# away and back. So what was interrupted, or moved, or made with another Python than PYTHON= now asks for, is made again from nothing.

WHO := import sys; print(sys.version, sys.argv[1])
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
NUMBER := import sys; print("%d.%d.%d" % sys.version_info[:3])

.venv/made: FORCE
	@who() { "$$1" -c '$(WHO)' "$(CURDIR)" 2>/dev/null; }; \
	refuse() { echo "$$1 Try: make $(or $(MAKECMDGOALS),lab) PYTHON=python3.12" >&2; exit 1; }; \
	asked=$(if $(filter file,$(origin PYTHON)),$(PY),"$(BASE)"); made=$$(cat $@ 2>/dev/null); \
	if [ "$$made" ] && [ "$$(who $(PY))" = "$$made" ] && [ "$$(who "$$asked")" = "$$made" ]; then exit 0; fi; \
	number=$$("$(BASE)" -c '$(NUMBER)' 2>/dev/null) || refuse "This lab needs Python 3.11 or newer; $(PYTHON) is not to be found."; \
	"$(BASE)" -c '$(NEW_ENOUGH)' || refuse "This lab needs Python 3.11 or newer; $(PYTHON) is $$number."; \
	"$(BASE)" -c 'import ensurepip, venv' 2>/dev/null || \
		refuse "$(PYTHON) comes without venv (Debian, Ubuntu: sudo apt install python3-venv)."; \
	if [ -e .venv ]; then echo "Making .venv again, with Python $$number."; else echo "Making .venv with Python $$number."; fi; \
	rm -rf .venv && "$(BASE)" -m venv .venv && who $(PY) > $@

# uv picks the lowest versions of all that is asked for by name; only wheels, since old sources are not built by today's tools.
.venv/has-lowest: .venv/made pyproject.toml
	@echo "Making .venv/lowest, with the lowest version of everything that pyproject.toml names."
	@rm -rf .venv/lowest && $(PY) -m venv .venv/lowest
	@$(LOWEST) -m pip install --quiet --disable-pip-version-check uv
	@$(LOWEST) -m uv pip install --quiet --python $(LOWEST) --resolution lowest-direct --only-binary :all: -r pyproject.toml --extra dev
	@$(LOWEST) -m uv pip install --quiet --python $(LOWEST) --no-deps -e .
	@touch $@

.venv/has-site: .venv/made web/build.txt
	@echo "Installing what builds the site into .venv/site."
	@rm -rf .venv/site && $(PY) -m venv .venv/site
	@.venv/site/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r web/build.txt
	@touch $@

.venv/has-usb: .venv/made web/usb.in
	@echo "Installing what fills the memory stick into .venv/usb."
	@rm -rf .venv/usb && $(PY) -m venv .venv/usb
	@.venv/usb/bin/python -m pip install --quiet --disable-pip-version-check -r web/usb.in
	@touch $@

.venv/has-%: .venv/made pyproject.toml constraints.txt
	@echo "Installing what is needed for '$*' into .venv; this takes a minute, the first time."
	@mv .venv/made .venv/unfinished
	@$(PY) -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[$*]"
	@mkdir -p .venv/etc/jupyter/labconfig && echo '$(QUIET)' > .venv/etc/jupyter/labconfig/page_config.json
	@mv .venv/unfinished .venv/made
	@touch .venv/has-lab $@
