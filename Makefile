# Rooftree. `make help` lists what there is; each target does its own set-up.
SHELL := /bin/sh
.DEFAULT_GOAL := help
BIN := .venv/bin

PARTS := test-pages test-browser test-chaos test-bench

.PHONY: help setup demo serve test $(PARTS) check bench chaos fuzz lock format hooks clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo "PORT and ROOFTREE_HOME choose where it runs: PORT=8001 ROOFTREE_HOME=~/second make demo"

setup: .venv/.runtime ## the environment and the command line (.venv/bin/rooftree)

demo: .venv/.runtime ## a lender's history and a live market, with sign-ins for every role (DEMO=full, small, large)
	@ROOFTREE_ENV=demo $(BIN)/rooftree demo

serve: .venv/.runtime ## Rooftree itself, as the environment describes it (docs/settings.md)
	@$(BIN)/rooftree serve

test: .venv/.development .venv/.browser ## the suite, on parallel workers, with its coverage (WORKERS=2)
	@scripts/test

$(PARTS): .venv/.development .venv/.browser
test-pages: ## the tests of pages alone; test-browser, test-chaos and test-bench are the other parts
$(PARTS):
	@scripts/test -m $(@:test-%=%)

check: .venv/.development ## lint, formatting, types, import contracts, migrations in step
	@scripts/check

bench: .venv/.development ## the benchmarks that exist, as ratios to this machine's floor
	@scripts/bench

chaos: .venv/.development ## kill everything at random under load, ROUNDS times, and prove that nothing is lost
	@scripts/chaos --rounds $${ROUNDS:-100} $${SEED:+--seed $$SEED}

fuzz: .venv/.development ## the tests of generated values, with new values each of ROUNDS times
	@scripts/fuzz --rounds $${ROUNDS:-10} $${SEED:+--seed $$SEED}

lock: .venv/.development ## new lock files from requirements*.in (needs uv)
	@scripts/lock

format: .venv/.development ## put the code in the house's format
	@$(BIN)/ruff check --fix --quiet . ; $(BIN)/ruff format .

hooks: .venv/.development ## check lint, contracts and messages with each commit
	@$(BIN)/pre-commit install --hook-type pre-commit --hook-type commit-msg

clean: ## remove the environment and every cache; no data
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis

.venv/.runtime: requirements.lock scripts/setup
	@scripts/setup runtime

.venv/.development: requirements-dev.lock .venv/.runtime scripts/setup
	@scripts/setup development

.venv/.browser: scripts/browser
	@scripts/browser
