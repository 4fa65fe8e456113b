# snfd: make run, make test, make bench, make lint, make web, make docs
SHELL := /bin/bash
.DEFAULT_GOAL := help

VAR    ?= var
PORT   ?= 8080
CONFIG ?=
SEED   ?=
LONG   ?=
ONLY   ?=
# python3.11 has the binding of Debian 12's librados; else the newest there is
PYTHON ?= $(shell for p in python3.11 python3.14 python3.13 python3.12 python3; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$$p"; break; }; done)
BIN := .venv/bin

export PYTHON

.PHONY: help run test bench lint web docs clean

help:
	@echo 'make run    a whole cloud on http://127.0.0.1:$(PORT), data in $(VAR)/'
	@echo '            (PORT= VAR= SEED=accounts SEED_PASSWORD= CONFIG=file.toml)'
	@echo 'make test   every test but the long ones (LONG=1: all of them);'
	@echo '            as root it installs the Debian packages that they need'
	@echo '            (ONLY=unit: a few minutes, no packages; ONLY=tests/quota)'
	@echo 'make lint   style, types, layers'
	@echo 'make bench  side by side with peers (ONLY=objects|identity|compute|console|jobs)'
	@echo 'make docs   the manual in docs/_build'

# a given CONFIG is outranked only by what was said besides
said = $(if $(CONFIG),$(filter-out file,$(origin $(1))),yes)

run:
	$(if $(filter-out accounts,$(SEED)),$(error SEED=$(SEED): there is only SEED=accounts))
	@scripts/prepare web once
	@scripts/prepare venv embedded
	@$(if $(call said,VAR),[ -d "$(VAR)" ] || mkdir -p -m 700 "$(VAR)")
	@$(if $(CONFIG),,export SNFD_LOG_FILE="$${SNFD_LOG_FILE-$(VAR)/snfd.log}";) \
	$(if $(filter accounts,$(SEED)),export SNFD_SEED_ACCOUNTS=true;) \
	$(if $(SEED_PASSWORD),export SNFD_SEED_PASSWORD="$$SEED_PASSWORD";) \
	exec $(BIN)/twistd --nodaemon --pidfile= snfd $(if $(CONFIG),--config "$(CONFIG)") \
		$(if $(call said,VAR),--var "$(VAR)") $(if $(call said,PORT),--port "$(PORT)")

web:
	@scripts/prepare web

test: web
	@scripts/prepare venv embedded,test,lint,bench
	@$(if $(ONLY),,scripts/prepare lab)
	@$(if $(ONLY),,scripts/prepare system)
	@LONG=$(LONG) scripts/test $(ONLY)

bench: web
	@scripts/prepare venv embedded,test,lint,bench
	@scripts/prepare system
	@$(BIN)/python -m bench $(ONLY)

lint:
	@scripts/prepare venv embedded,test,lint,bench
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy snfd api vnc storage pocket bench tests twisted/plugins/snfd.py
	MYPYPATH=ganeti-os/snfd/lib $(BIN)/mypy ganeti-os/snfd/lib
	$(BIN)/lint-imports
	$(BIN)/codespell
	$(BIN)/python -m towncrier build --draft --version next > /dev/null

docs:
	@scripts/prepare venv docs
	$(BIN)/sphinx-build -W -q docs docs/_build

clean:
	rm -rf .venv .stamps build docs/_build web/dist web/node_modules tests/lab/oidc/node_modules *.egg-info
