# People and CI run the same commands. Each does all it needs on a machine with Python 3.11 and make.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
INSTALL := python -m pip install --quiet --disable-pip-version-check
PIP    := .venv/bin/$(INSTALL)
COMPILE := .venv/bin/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-annotate --custom-compile-command "make lock" --group build
NODE_MODULES := tests/simulation/node/node_modules tests/docs/node/node_modules tests/clients/react/18/node_modules tests/clients/react/19/node_modules
PEER_MODULES := benchmarks/peers/node_modules
BENCH  := benchmarks/.venv
# pyenv's are not on the path by their names
python_of = $(firstword $(wildcard $(HOME)/.pyenv/versions/$(1).*/bin/python$(1)) $(shell command -v python$(1)))
NEWER  := $(foreach each,3.12 3.13 3.14,$(if $(call python_of,$(each)),$(each)))
# more than CI has cores: the tests wait for processes and sockets more than they compute
PROCESSES ?= 3
FAST   := tests/adapters tests/aio tests/auth tests/batching tests/caching tests/configuration tests/transports

.PHONY: help demo test coverage pythons newest-python check docs new-platform install client bench faults image lock clean

help:  ## the commands, one a line
	@sed -n 's/^\([a-z-]*\):.*  ## \(.*\)/\1\t\2/p' Makefile | expand -t 14

demo: .venv/run  ## simulated platforms, one of each kind, and the gateway in front of them, until stopped (ARGS=--check: ask it, then exit)
	@.venv/bin/connection-gateway demo $(ARGS)

test: check $(if $(shell command -v npm),$(NODE_MODULES:%=%/.package-lock.json))  ## everything that CI checks
	.venv/bin/python -m pytest --numprocesses $(PROCESSES) --dist worksteal $(ARGS)

# it doubles what the tests cost, so CI, which has 15 minutes, does without
coverage:  ## the tests with branch coverage, of the tests too; fails below 95 %
	$(MAKE) test ARGS="--cov --cov-report=term $(ARGS)"

pythons: $(NEWER:%=.venv-%/ready)  ## the fast part of the tests on every newer Python that this machine has
	@for each in $(NEWER); do echo "Python $$each"; .venv-$$each/bin/python -m pytest -q --numprocesses auto $(FAST) || exit 1; done

newest-python:  ## the same on the newest of them alone, as CI does
	@[ -z "$(NEWER)" ] || $(MAKE) --no-print-directory pythons NEWER=$(lastword $(NEWER))

check: .venv/dev  ## format, lint, types, direction of imports
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/lint-imports

# --quiet would hide warnings, and --strict counts only those that are shown
docs: .venv/dev  ## the documentation as a static site in site/; a broken link or a page outside the navigation fails
	NO_MKDOCS_2_WARNING=1 .venv/bin/mkdocs build --strict $(ARGS)

new-platform: .venv/dev  ## the skeleton of an adapter (NAME=guestbook)
	@.venv/bin/python -m tests.new_platform "$(NAME)"
	@.venv/bin/ruff check --quiet --fix adapters tests/contract
	@.venv/bin/ruff format --quiet adapters tests/contract

install: .venv/dev  ## all that development needs, into .venv

client: .venv/dev  ## the wheel of the Python client, into clients/python/dist
	cd clients/python && $(CURDIR)/.venv/bin/python -m hatchling build -t wheel

bench: .venv/run $(BENCH)/gateway/ready $(BENCH)/peers/ready $(if $(shell command -v npm),$(PEER_MODULES)/.package-lock.json)  ## the measured claims of docs/performance.md
	.venv/bin/python -m benchmarks $(ARGS)
	.venv/bin/python -m benchmarks.login
	.venv/bin/python -m benchmarks.wire
	PYTHONPATH=clients/python $(BENCH)/peers/bin/python -m benchmarks.client

faults: .venv/dev  ## what it does when platforms fail, callers are too many, and it is told to stop: 20 minutes (ARGS="--only ends --short": a part)
	.venv/bin/python -m tests.faults.live $(ARGS)

image:  ## the image, without a container engine: needs buildah, mmdebstrap and root
	.ci/image

lock: .venv/dev  ## write both locks anew: what runs, and what develops on top of it
	$(COMPILE) --upgrade -o requirements.lock
	$(COMPILE) --upgrade --extra shared -c requirements.lock -o requirements-shared.lock
	$(COMPILE) --upgrade --group dev --group docs --extra otel --extra shared -c requirements.lock -o requirements-dev.lock
	.venv/bin/uv pip compile benchmarks/peers/requirements.in --quiet --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-emit-find-links --no-annotate --custom-compile-command "make lock" --upgrade \
		-o benchmarks/peers/requirements.lock

clean:  ## remove everything that these commands made
	rm -rf .venv .venv-* site .npm benchmarks/.venv $(NODE_MODULES) $(PEER_MODULES) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage*

.venv/run: requirements.lock pyproject.toml
	$(PYTHON) -m venv --clear .venv
	$(PIP) --require-hashes --no-deps -r requirements.lock
	$(PIP) --no-build-isolation --no-deps --no-index -e .
	@touch $@

.venv/dev: requirements-dev.lock .venv/run
	$(PIP) --require-hashes --no-deps -r requirements-dev.lock
	@touch $@

.venv-%/ready: requirements-dev.lock pyproject.toml
	$(call python_of,$*) -m venv --clear $(@D)
	$(@D)/bin/$(INSTALL) --require-hashes --no-deps -r $<
	$(@D)/bin/$(INSTALL) --no-build-isolation --no-deps --no-index -e .
	@touch $@

# the gateway is measured with what it runs on and nothing else, and so is what it is measured against
$(BENCH)/gateway/ready: requirements.lock pyproject.toml
	$(PYTHON) -m venv --clear $(@D)
	$(@D)/bin/$(INSTALL) --require-hashes --no-deps -r $<
	$(@D)/bin/$(INSTALL) --no-build-isolation --no-deps --no-index -e .
	@touch $@

$(BENCH)/peers/ready: benchmarks/peers/requirements.lock
	$(PYTHON) -m venv --clear $(@D)
	$(@D)/bin/$(INSTALL) --require-hashes --no-deps -r $<
	@touch $@

# npm writes this file last; its cache and its log stay in the repository
$(NODE_MODULES:%=%/.package-lock.json) $(PEER_MODULES)/.package-lock.json: %/node_modules/.package-lock.json: %/package-lock.json
	cd $(<D) && npm ci --ignore-scripts --no-audit --no-fund --cache "$(CURDIR)/.npm"
