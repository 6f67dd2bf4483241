# What people run here; `make` alone lists it. Needs make and Python 3.11 or later, nothing else.
#   make PYTHON=python3.12 test   chooses the interpreter that .venv is made from
#   make test ARGS="-k luck -n 0" and make up ARGS="--port 8080" hand on options

PYTHON ?= python3
VENV   ?= .venv
ARGS   ?=
BIN    := $(VENV)/bin
# Wheels only: an sdist would run code, and fetch build tools, that no lock file covers.
PIP    := $(BIN)/python -m pip --quiet --disable-pip-version-check install --no-compile
LOCKED := --require-hashes --only-binary :all:
# uv installs in a fifth of the time; where it cannot be had, or not reach what pip is told of (a mirror), pip does it.
UV     := $(or $(shell command -v uv),build/uv/bin/uv)
OWN_UV := $(filter build/uv/bin/uv,$(UV))
BY_UV  := $(UV) pip install --quiet --python $(BIN)/python $(LOCKED)
BY_PIP := $(PIP) $(LOCKED)
install = $(BY_UV) -r $(1) || { echo "set-up: uv could not install $(1) (above), so pip does"; $(BY_PIP) -r $(1); }
# What takes one processor each is done side by side. Bytecode: where Python is told to write none, every process would
# compile all that it imports. The engine: ready for the first forecast; where that fails it is compiled while the house
# runs. Types: mypy keeps what it has read, and what it finds is said by the linter among the tests, which goes on there.
BYTES  := $(BIN)/python -m compileall -qq -j 2 -x '/tests?/' $(VENV)/lib >/dev/null 2>&1
ENGINE := $(BIN)/python -m twin.kernel
TYPES  := $(BIN)/mypy >/dev/null 2>&1

# Alone, `make test` fetches a browser while it installs, and a broker while it compiles.
ifeq ($(MAKECMDGOALS),test)
MAKEFLAGS += --jobs=4
endif

.DEFAULT_GOAL := help
.PHONY: help up test lint soak soak-live soak-weeks simulate bench bench-forecast bench-alerts pictures pictures-small fuzz wheel sbom licences assurance \
        lock clean browser broker

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

up: $(VENV)/runtime.stamp ## set up if need be, then run the twin and its wall
	@echo "make up: starting; the first forecast comes once 60 days of history are loaded and learned (about a minute)"
	@$(BIN)/edtwin up $(ARGS)

test: $(VENV)/dev.stamp browser broker ## set up if need be, then lint and test everything except the soak tests
	@echo "make test: linting and running every suite on two processes (some minutes: whole hospitals are simulated)"
	@$(BIN)/python -m pytest $(ARGS)

lint: $(VENV)/dev.stamp ## ruff (with bandit's rules), mypy --strict and the import contracts
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

soak: $(VENV)/dev.stamp broker ## the long tests that `make test` leaves out; one that was ended goes on
	@echo "make soak: long campaigns (tens of minutes); each test may take an hour; one that was ended goes on"
	@$(BIN)/python -m pytest -m soak --timeout 3600 --go-on $(ARGS)

soak-live: $(VENV)/dev.stamp ## a whole house for two hours at sixty times the speed; ended, it goes on the next time
	@$(BIN)/python -m tests.weeks build/soak-live --hours 2 --speed 60 $(ARGS)

soak-weeks: $(VENV)/dev.stamp ## sixty days of a whole house on a stepped clock (an hour or two); goes on as well
	@$(BIN)/python -m tests.weeks build/soak-weeks --days 60 $(ARGS)

simulate: $(VENV)/dev.stamp ## weeks of the whole house with faults, seed after seed (ARGS="--minutes 3")
	@$(BIN)/python -m tests.simulate $(ARGS)

fuzz: $(VENV)/fuzz.stamp ## throw bytes at every door, ten minutes each, found inputs kept (ARGS="hl7 --seconds 60" is less)
	@$(BIN)/python -m tests.fuzz $(ARGS)

bench: $(VENV)/dev.stamp ## how fast the house is on this machine
	@$(BIN)/edtwin bench $(ARGS)
	@$(BIN)/python -m tests.bench_log
	@$(BIN)/python -m tests.bench_wall

bench-forecast: $(VENV)/dev.stamp ## how good the forecasts of fabricated hospitals are (hours; ARGS="--days 60" is less)
	@$(BIN)/python -m tests.bench_forecast $(ARGS)

bench-alerts: $(VENV)/dev.stamp ## how good alarms are, set on one fabricated year and judged on the next (an hour and more)
	@$(BIN)/python -m tests.bench_alerts $(ARGS)

pictures: $(VENV)/dev.stamp browser ## screenshots of every page in every state into build/pictures
	@$(BIN)/python -m tests.take_pictures build/pictures $(ARGS)

pictures-small: $(VENV)/dev.stamp browser ## the pictures of all pages in the dashboard's README
	@$(BIN)/python -m tests.take_pictures dashboard/pictures/pages --small $(ARGS)

wheel: $(VENV)/dev.stamp ## the wheel, its bill of materials and their SHA-256 into dist/, the same bytes whoever builds them
	@$(BIN)/python -m tests.assurance.wheel dist

sbom: $(VENV)/dev.stamp ## the bill of materials alone (CycloneDX) into dist/
	@$(BIN)/python -m tests.assurance.bill dist

licences: $(VENV)/dev.stamp ## tests/assurance/LICENCES.md anew from what is installed
	@$(BIN)/python -m tests.assurance.licences

assurance: $(VENV)/dev.stamp ## the hazard log, the table of security requirements and the promises anew from their sources
	@$(BIN)/python -m tests.assurance.documents

clean: ## remove what builds and tests leave behind; .venv and data stay
	rm -rf build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +

# Set-up: a stamp is newer than the lock file it was installed from, so a second run installs nothing.

$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { \
	  echo "edtwin needs Python 3.11 or later, but there is no '$(PYTHON)' here: install one, or name it with PYTHON=" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "edtwin needs Python 3.11 or later, but $(PYTHON) is $$($(PYTHON) --version 2>&1): name a newer one with PYTHON=" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "edtwin needs Python's venv module, but $(PYTHON) has none: on Debian, apt install python3-venv" >&2; exit 1; }
	@echo "set-up: making $(VENV) from $$($(PYTHON) --version)"
	@rm -f $(VENV)/*.stamp
	@$(PYTHON) -m venv $(VENV)

# Never fails: without it pip installs all.
build/uv/bin/uv: requirements-uv.lock | $(BIN)/python
	@rm -rf build/uv
	@$(BY_PIP) --target build/uv -r $< && touch $@ || true

$(VENV)/runtime.stamp: requirements.lock pyproject.toml | $(BIN)/python $(OWN_UV)
	@echo "set-up: installing the locked packages into $(VENV) (once; some 200 MB to download)"
	@$(call install,requirements.lock)
	@$(PIP) --no-deps --no-build-isolation --editable .
	@echo "set-up: compiling the packages and the engine (once; half a minute)"
	@$(BYTES) & $(ENGINE) & wait
	@touch $@

$(VENV)/installed.stamp: requirements-dev.lock pyproject.toml | $(BIN)/python $(OWN_UV)
	@echo "set-up: installing the locked packages and the test tools into $(VENV) (once; some 300 MB to download)"
	@$(call install,requirements-dev.lock)
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/dev.stamp: $(VENV)/installed.stamp
	@echo "set-up: compiling the packages and the engine, and reading all types (once; a minute)"
	@$(BYTES) & $(ENGINE) & $(TYPES) & wait
	@touch $@ $(VENV)/runtime.stamp

$(VENV)/fuzz.stamp: requirements-fuzz.lock $(VENV)/dev.stamp
	@$(call install,requirements-fuzz.lock)
	@touch $@

# Never fails: without a browser its tests skip and say so.
browser:
	@if ! command -v chromium >/dev/null && command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
	  echo "set-up: installing chromium for the browser tests (once; a minute or so)"; \
	  { timeout 240 apt-get update -qq && \
	    DEBIAN_FRONTEND=noninteractive timeout 240 apt-get install -qq -y --no-install-recommends chromium fonts-dejavu-core fonts-liberation; \
	  } >/dev/null 2>&1 </dev/null || echo "set-up: chromium could not be installed: the browser tests will skip"; \
	fi

# Never fails: without Java, Maven or the artifact the tests against a Kafka broker skip and say so.
broker: $(VENV)/installed.stamp
	@if [ ! -d build/kafka ] && command -v java >/dev/null && command -v mvn >/dev/null; then \
	  echo "set-up: resolving a Kafka broker for the tests (once; 43 MB, some seconds)"; \
	fi
	@$(BIN)/python -m tests.kafka_broker || true

# The lock files: every package with its hashes, for CPython 3.11 and later on Linux and macOS, naming no index.
# The pins are kept where they still fit; `make lock UPGRADE=--upgrade` takes the newest of everything.

UPGRADE ?=
COMPILE := $(UV) pip compile --quiet --universal --python-version 3.11 --only-binary :all: --generate-hashes \
             --no-emit-index-url --no-header $(UPGRADE)

lock: $(OWN_UV) ## write the lock files anew from pyproject.toml
	@echo "make lock: resolving for every supported Python and platform (some seconds)"
	@echo "setuptools>=77" | $(COMPILE) pyproject.toml - --output-file requirements.lock
	@echo "setuptools>=77" | $(COMPILE) pyproject.toml - --extra dev --constraint requirements.lock --output-file requirements-dev.lock
	@echo "atheris>=3,<3.1" | $(COMPILE) - --output-file requirements-fuzz.lock
	@echo "uv" | $(COMPILE) - --output-file requirements-uv.lock
