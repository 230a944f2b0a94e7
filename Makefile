# Each of these works alone on a bare Debian machine as root, and on any machine that has
# Docker, Python 3.11 or newer, and npm.

.PHONY: help demo demo-compose test test-faults test-image test-all chaos bench lint lock clean
.DEFAULT_GOAL := help

PYTHON := .venv/bin/python
# Most of a test's time is waiting. More than three are in each other's way on two cores.
WORKERS := 3
PYTEST = $(PYTHON) -m pytest -q -n $(WORKERS) --dist loadfile

help: ## Show this
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 13

demo: ## Run everything here and play three scenes; on a terminal it then stays up
	@deploy/scripts/setup.sh demo
	@$(PYTHON) -m deploy.laptop demo $(if $(DOCKER_HOST),--docker-host "$(DOCKER_HOST)")

demo-compose: ## Play them on the installation with Compose: [STAND_INS=1 asks no registry]
	@STAND_INS=$(STAND_INS) deploy/scripts/setup.sh demo-compose
	@$(PYTHON) -m deploy.composed $(if $(DOCKER_HOST),--docker-host "$(DOCKER_HOST)") $(if $(STAND_INS),--stand-ins)

test: ## Run the tests, the style and the types among them
	@deploy/scripts/setup.sh test
	@$(PYTEST) -m "not fault and not slow and not image"

test-faults: ## Kill, hang and cut off every part, at every step; and all that is slow
	@deploy/scripts/setup.sh faults
	@$(PYTEST) -m "fault or slow"

test-image: ## Build the image, run the installation with Compose, and try all that it promises
	@deploy/scripts/setup.sh image
	@$(PYTHON) -m pytest -q -m image tests/image

# One run starts each server once, and at its end no processor waits twice for the last file.
test-all: ## Run all three at once, in less time than one after the other
	@deploy/scripts/setup.sh all
	@$(PYTEST)

chaos: ## Break everything at random and see what holds: [SEED=…] [MINUTES=…]
	@deploy/scripts/setup.sh test
	@$(PYTHON) -m tests.chaos $(if $(SEED),--seed "$(SEED)") $(if $(MINUTES),--minutes "$(MINUTES)")

bench: ## Measure a click beside a naive bot and bare calls of the engine: [N=rounds] [JSON=file]
	@deploy/scripts/setup.sh test
	@$(PYTHON) -m tests.bench $(if $(N),--rounds "$(N)") $(if $(JSON),--json "$(JSON)")

lint: ## Check style and types only
	@deploy/scripts/setup.sh test
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m ruff format --check .
	@$(PYTHON) -m mypy

lock: ## Write the lock files anew from pyproject.toml (needs uv)
	@deploy/scripts/lock.sh

clean: ## Remove all that the others made here
	rm -rf .venv .dockwarden .mypy_cache .ruff_cache .pytest_cache .import_linter_cache *.egg-info build
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
