# Two commands do everything: `make demo` and `make test`. Both set up first; that takes seconds when nothing is missing.

PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3.14 python3; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV := .venv/bin
FEW_FAILED := $(VENV)/python -c "import json, sys; sys.exit(len(json.load(open('.pytest_cache/v/cache/lastfailed'))) > 3)"

.PHONY: setup setup-tests demo up test test-unit lint torture bench venv

setup: venv
	@$(VENV)/python -m engine.runtime.setup

venv:
	@test -n "$(PYTHON)" || { echo "setup: Python 3.11 or newer is missing. Install the Debian packages python3 and python3-venv" >&2; exit 1; }
	@$(PYTHON) engine/runtime/bootstrap.py

setup-tests: venv
	@$(VENV)/python -m engine.runtime.setup --tests

# a real call, an alarm and a campaign on a system of its own: see README
demo: setup
	@$(VENV)/ringward demo

# serves in the foreground; Ctrl-C ends it
up: setup
	@$(VENV)/ringward up

# Most tests wait for telephones most of the time: four at once. Stories have time limits, and others use the machine as
# well: up to three that failed among others are run once more, alone and aloud; what fails again has failed.
test: setup-tests lint
	@$(VENV)/python -m pytest -n 4 --dist loadfile || { test $$? -eq 1 && $(FEW_FAILED) && \
		echo "these failed among others, and are run once more, alone:" && $(VENV)/python -m pytest --lf --lfnf=none; }

# needs no service
test-unit: venv
	$(VENV)/python -m pytest -n 2 --dist loadfile tests/unit

lint: venv
	$(VENV)/ruff check .
	$(VENV)/mypy

# faults and hostile input on real parts; the last lines are what we claim. MINUTES of the random mix, SEED of a former run
torture: setup-tests
	@$(VENV)/python -m pytest -n 2 --dist loadfile tests/torture tests/crash --torture --torture-minutes $(or $(MINUTES),5) $(if $(SEED),--torture-seed $(SEED))

# ratios against baselines measured in the same run; ONLY="hotline api" runs these alone
bench: setup-tests
	@$(VENV)/python -m bench $(ONLY)
