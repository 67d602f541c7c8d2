# Everything a newcomer types. `make` or `make help` explains the targets.
# Needs: a C compiler (linker), Rust (cargo), Python 3.11 or newer. The rest is installed into .venv
# and target/, nothing outside this folder.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
DEMO ?= demo
# Tests side by side, those of one module together as long as nobody is idle; some start programs
# that use every processor, so more than four would only wait for each other.
PARALLEL ?= --numprocesses auto --maxprocesses 4 --dist worksteal
FAULT_TESTS := $(patsubst %,tests/test_%.py,faults kill full_disk full_disk_python damaged_inputs damaged_records two_writers \
	wrong_clock cluster)
RUST_SOURCES := $(shell find crates -name "*.rs" -o -name Cargo.toml) Cargo.toml Cargo.lock rust-toolchain.toml docs/differences.md \
	$(wildcard parity/certificates/*.json)

# What pyproject.toml asks for: to build, to run, to test, to lint.
REQUIREMENTS := import tomllib; t = tomllib.load(open("pyproject.toml", "rb")); p = t["project"]; \
	print(*t["build-system"]["requires"], *p["dependencies"], *sum(p["optional-dependencies"].values(), []))

NEEDS_RUST = @command -v cargo > /dev/null || { echo "make: Rust is missing: install it with rustup, then run make again" >&2; exit 1; }

.PHONY: help demo test lint rust-test python-test certify certify-small test-faults test-large fuzz bench bench-scale native wheel clean

help: ## Explain the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: native ## Simulate a scene, prepare it, run every native stage, say what was made (DEMO=folder)
	@$(PY) -m pystamps_shim demo --out "$(DEMO)" --force

test: lint rust-test python-test certify-small ## Format, lints, Rust tests, Python tests, small certification

lint: build/venv.stamp ## Formatting and lints of both languages, no changes made
	@echo "formatting and lints …"
	@cargo fmt --all --check
	@cargo clippy --workspace --all-targets --locked --quiet -- -D warnings
	@RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked --quiet
	@$(VENV)/bin/ruff format --check --quiet conftest.py python parity tests
	@$(VENV)/bin/ruff check --quiet conftest.py python parity tests
	@$(VENV)/bin/mypy

rust-test:
	cargo test --locked --quiet

python-test: native
	$(PY) -m pytest $(PARALLEL)

# What the project's own data can show, and whether the certificates are of the present code.
certify-small: native
	@$(PY) -m parity certify --golden
	@$(PY) -m parity certify --check || { test "$(CI)" != true && echo "make: only CI insists on present certificates"; }

certify: native ## Certify every stage against ../shared/oracle (ORACLE=folder); WRITE=1 keeps the certificates
	@$(PY) -m parity certify $(if $(ORACLE),--oracle "$(ORACLE)") $(if $(WRITE),--write) --report build/certification
	@$(if $(WRITE),$(MAKE) --no-print-directory native && $(PY) -m parity certify --check)

test-faults: native ## Kills, failing disks, damaged files, two writers, wrong clocks, lost workers; make test tries a share
	$(PY) -m pytest --numprocesses 2 --dist worksteal -m "" $(FAULT_TESTS)

test-large: native ## Larger scenes and longer runs than make test has time for
	$(PY) -m pytest $(PARALLEL) -m large

fuzz: native ## Feed damaged files to every parser for MINUTES (1); what breaks one stays in fuzz/artifacts
	@$(PY) -m parity.fuzz --minutes $(or $(MINUTES),1)

bench-scale: native ## Whole chains on large scenes against their limits, 25 GB of disk (WRITE=1 keeps the page)
	$(PY) -m parity.scale $(if $(WRITE),--out docs/scale.md) $(ARGUMENTS)

bench: native ## Throughput of every kernel, with its ratio to a plain copy or to the Python reference
	cargo bench --locked --quiet
	$(PY) -m parity.bench_stage1
	$(PY) -m parity.bench_kernels
	$(PY) -m parity.bench_stages
	$(PY) -m parity.bench_unwrap
	$(PY) -m parity.bench_filters
	$(PY) -m parity.bench_orchestrator
	$(PY) -m parity.bench_exports

native: build/native.stamp ## Build the program and the Python extension into .venv (ready to use)

wheel: native ## Build the wheel into dist/ and try it in an empty environment
	rm -rf dist build/wheel-venv
	$(VENV)/bin/maturin build --release --locked --quiet --out dist
	$(PYTHON) -m venv build/wheel-venv
	build/wheel-venv/bin/pip install --quiet dist/*.whl
	cd build && wheel-venv/bin/pystamps-native --version && wheel-venv/bin/python -m pystamps_shim --help > /dev/null
	cd build && wheel-venv/bin/python -c 'from pystamps_shim.verification.rules import known_variables; known_variables()'
	@ls dist

clean: ## Remove everything that was built or installed here
	rm -rf target build dist $(VENV) demo fuzz/{target,corpus,artifacts,executions.json} python/pystamps_shim/_bin python/pystamps_shim/*.so
	find . -name __pycache__ -prune -exec rm -rf {} +
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis

build/venv.stamp: pyproject.toml
	$(NEEDS_RUST)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "make: $(PYTHON) is older than 3.11: run make PYTHON=python3.12 …" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2> /dev/null || { echo "make: this Python cannot make environments: install python3-venv, then run make again" >&2; exit 1; }
	@echo "installing Python packages into $(VENV) …"
	@test -x $(PY) || $(PYTHON) -m venv $(VENV)
	@$(PY) -m pip install --quiet --disable-pip-version-check --no-compile $$($(PY) -c '$(REQUIREMENTS)')
	@mkdir -p build && touch $@

# The program is a plain cargo build, installed over its launcher; the extension goes through maturin, which also registers the
# Python sources in the environment (editable), so `python -m pystamps_shim` works at once. Cargo chooses features for the packages
# it is asked about: asked about both, it makes the dependencies once, and maturin finds them there.
build/program.stamp: $(RUST_SOURCES)
	$(NEEDS_RUST)
	@echo "building the program (minutes the first time) …"
	@cargo build --release --locked --quiet -p pystamps-core -p pystamps-py --bin pystamps-native
	@mkdir -p build && touch $@

build/native.stamp: build/venv.stamp build/program.stamp
	@echo "building the extension …"
	@install -D -m 755 target/release/pystamps-native python/pystamps_shim/_bin/pystamps-native
	@VIRTUAL_ENV="$(abspath $(VENV))" $(VENV)/bin/maturin develop --release --locked --quiet > build/maturin.log 2>&1 || { cat build/maturin.log >&2; exit 1; }
	@install -m 755 target/release/pystamps-native $(VENV)/bin/pystamps-native
	@touch $@
