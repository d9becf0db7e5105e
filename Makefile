# What a developer does here. `make demo` and `make test` need only a fresh Debian 12 with Swift 6.3, Python 3.11 and git.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

ARCH := $(shell uname -m | sed 's/aarch64/arm64/')
ZIP := dist/stackcert-lambda-$(ARCH).zip
COMMAND := .build/debug/stackcert
PYTHON := .venv/bin/python
# The same flags for building and testing: others would build everything again.
SWIFT_TEST := swift test --skip-build --disable-xctest
# The black-box tests side by side, a cloud for each of them: as many as the machine of CI has cores.
PYTEST := $(PYTHON) -m pytest -q --durations=10
PARALLEL := -n 2 --dist loadgroup

.PHONY: help published setup demo demo-renewal demo-letsencrypt test unit integration package lint format contract judges mutants bench soak kill prove-on-aws prove-on-aws-local release invoke clean

help: ## Show what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 18

setup: .venv/.complete ## Install what is missing: Debian packages and the Python environment

.venv/.complete: Tools/setup Tests/LocalCloud/pyproject.toml
	Tools/setup
	touch $@

package: $(ZIP) published ## Build the Lambda's zip

# The templates without their comments, which is what users deploy.
published:
	python3 Tools/publish_templates.py dist/templates templates/*.yml
	python3 Tools/make_import_template.py templates/provider.yml >dist/templates/provider-import.yml

$(ZIP): package.sh NOTICE Package.swift $(shell find Sources Tools -type f -not -name "*.pyc")
	./package.sh

demo: setup package ## See a stack create, rotate and delete its certificate, in a cloud on this machine
	cd Tests/Integration && ../../$(PYTHON) -m demo ../../$(ZIP)

demo-renewal: setup package ## See a certificate renewed without a refused handshake, in a cloud on this machine
	cd Tests/Integration && ../../$(PYTHON) -m demo --renewal ../../$(ZIP)

demo-letsencrypt: setup package ## See a front end get, renew and lose a certificate of an authority, in a cloud on this machine
	cd Tests/Integration && ../../$(PYTHON) -m demo --lets-encrypt ../../$(ZIP)

test: unit integration ## Run all tests

unit: setup ## Run the Swift tests
	swift build --build-tests
	Tools/step "unit tests and histories" Tools/slowest $(SWIFT_TEST)

# The unit tests' build leaves it as well.
$(COMMAND):
	swift build --product stackcert

integration: setup package $(COMMAND) ## Run the black-box tests on the packaged zip, in a cloud on this machine
	Tools/step "the tools' tests" $(PYTEST) Tests/Tools
	Tools/step "the local cloud's tests" $(PYTEST) -n 2 --dist loadscope Tests/LocalCloud/tests
	Tools/step "black box, side by side" $(PYTEST) $(PARALLEL) -m "not alone" Tests/Integration
	Tools/step "black box, one at a time" $(PYTEST) -m alone Tests/Integration

judges: setup ## Have all judges read certificates and requests of every kind, not only the 40 of `make test`
	swift build --build-tests
	STACKCERT_JUDGES=all $(PYTEST) -m "not alone" Tests/Integration/test_judges.py

lint: setup ## Check format, imports, sources, templates, scripts
	Tools/lint

format: ## Format the Swift code
	swift format --in-place --parallel --recursive Sources Tests Package.swift

contract: ## Show which tests prove which case of docs/custom-resource-contract.md
	python3 Tools/contract

mutants: setup ## Break the code once per case of the contract, and see a test fail each time
	Tools/mutants

bench: setup package ## Measure start, memory, size, time, renewals and issuing, as ratios within one run
	swift build --product stackcert
	$(PYTHON) Benchmarks/bench.py $(ZIP)

soak: setup package ## Run many more random histories than `make test` does
	swift build --build-tests
	STACKCERT_HISTORIES=50000 STACKCERT_HISTORY_SEED=$$RANDOM $(SWIFT_TEST) --filter HistoryTests
	STACKCERT_BLACK_BOX_HISTORIES=200 $(PYTHON) -m pytest -q Tests/Integration/test_histories.py

kill: setup package $(COMMAND) ## Kill the functions and the command at every call that changes something, not at a sample as `make test` does
	STACKCERT_KILL=all $(PYTEST) $(PARALLEL) -m kill Tests/Integration

# DRAFT=1: also of a changed clone, and of a version without a date in the changelog.
release: setup package ## Gather a release in dist/release: zips, templates, bill of materials, notes, hashes
	python3 Tools/make_release.py $(if $(DRAFT),--draft) dist dist/release

# PROVE="--yes --profile me --region eu-central-1" and the like: Tests/OnAWS/README.md.
PROVE_ON_AWS = cd Tests/OnAWS && ../../$(PYTHON) -m on_aws --zip ../../$(ZIP)

prove-on-aws: setup package ## Ask an AWS account what the local cloud takes for granted; costs cents, asks before it starts
	$(PROVE_ON_AWS) $(PROVE)

prove-on-aws-local: setup package ## Ask the local cloud the same, as far as it can answer
	$(PROVE_ON_AWS) --local $(PROVE)

invoke: setup package ## Run one event through the packaged zip: make invoke PAYLOAD=file.json
	$(PYTHON) -m localcloud invoke --zip $(ZIP) $(PAYLOAD)

clean: ## Remove what was built
	rm -rf .build .venv .cache dist
