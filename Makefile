# `make help` lists the targets. Everything that needs a decision is in scripts/, so that it can be read and run by itself.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help

BIN := .venv/bin
NEWEST_GO := 1.27.3
LATER := tests/agent tests/servers
ARGS ?=

.PHONY: help install install-dev install-browser demo benchmark benchmark-pause benchmark-load test check check-format check-lint check-types check-imports check-go check-tests check-later check-versions matrix servers chaos kernel fmt lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: ## Install what running needs; the command is .venv/bin/freezeframe (PYTHON=... picks a Python >= 3.11)
	@scripts/install

install-dev: ## Install what tests and checks need, too
	@scripts/install --dev

install-browser: ## Install Debian's Chromium, for the tests that draw a page
	@scripts/install --dev --browser

demo: install ## Take a snapshot of a demo service and show it; ARGS=--once exits after the table
	@$(BIN)/freezeframe demo $(ARGS)

test: install-dev ## Run the tests (root, for eBPF); ARGS goes to pytest
	@$(BIN)/pytest $(ARGS)

matrix: install-dev ## Run the end-to-end tests on every supported Go version (ARGS=1.24.11 for one); takes about an hour
	@scripts/matrix $(ARGS)

benchmark: install-dev ## Measure how fast specs compile, beside other tools (ARGS="--only etcd", ARGS=--help); fetches 100 MB once
	@$(BIN)/python benchmarks/compile.py $(ARGS)

benchmark-pause: install-dev ## Measure how long a process stands still, beside plain copying, its own dumps and Delve (root; ARGS=--help)
	@$(BIN)/python benchmarks/pause.py $(ARGS)

benchmark-load: install-dev ## Measure what a snapshot every second does to a server under load (root; ten minutes; ARGS=--help)
	@$(BIN)/python benchmarks/load.py $(ARGS)

chaos: install-dev ## Kill the agent at 1,000 random points of its captures and look at what is left (ARGS=5000 for more); takes some minutes
	@FREEZEFRAME_CHAOS=$(or $(ARGS),1000) $(BIN)/pytest -q -s tests/test_chaos.py -k ebpf

check: check-format check-lint check-imports ## Run everything that CI runs; what takes minutes two by two
	@$(MAKE) -j2 check-types check-go check-tests check-versions check-later

check-tests: install-dev ## Run most tests with the newest Go, whichever the machine has; they are its plain cell of the matrix, too
	@FREEZEFRAME_TEST_GO=$$(scripts/toolchain $(NEWEST_GO)) $(BIN)/pytest $(LATER:%=--ignore %)

check-later: install-dev ## Run the other tests so: the agent's, and those of real servers
	@FREEZEFRAME_TEST_GO=$$(scripts/toolchain $(NEWEST_GO)) $(BIN)/pytest $(LATER)

check-format: install-dev ## Is the code formatted?
	$(BIN)/ruff format --check --quiet

check-lint: install-dev ## Run the linter
	$(BIN)/ruff check --quiet

check-types: install-dev ## Check the types
	$(BIN)/mypy

check-imports: install-dev ## Check who imports whom
	$(BIN)/lint-imports --no-cache --no-logo

check-go: install-dev ## Check the Go programs: format and vet
	@scripts/check-go

check-versions: install-dev ## Run the end-to-end tests on a slice of the matrix: the oldest Go, a middle one as PIE, the newest with -N
	@scripts/matrix --slice

servers: install-dev ## Build and try the large servers, too (etcd, CoreDNS), from the Go module proxy; takes some minutes
	@$(BIN)/pytest -q --servers tests/servers $(ARGS)

kernel: install-dev ## Boot Debian's kernel 6.1 in QEMU and capture there (root; ARGS names another kernel package); takes twenty minutes
	@scripts/try-kernel $(ARGS)

fmt: install-dev ## Format the code and apply the linter's safe fixes
	$(BIN)/ruff check --fix --quiet || true
	$(BIN)/ruff format --quiet
	@scripts/check-go --fix

lock: install-dev ## Write the lock files anew; ARGS=--upgrade for the newest versions allowed
	@scripts/lock $(ARGS)

clean: ## Remove .venv, caches and builds
	rm -rf .venv build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
