# setup  a private .venv with everything built; the other targets call it
# demo   the main job on examples/hello
# test   all Rust and Python tests
# lint   formatters, linters, type checker
# bench  ratios against the peers, in one run (see bench/README.md)
# compatibility  our stacks beside those of other tools (docs/compatibility.md)
# wheel  builds the wheel and runs the demo from it in an empty environment
# fuzz   every fuzz target for FUZZ_SECONDS each (needs a nightly toolchain and cargo-fuzz)

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
FUZZ_SECONDS ?= 60
ENGINE := $(shell find engine/core/src engine/binding/src -name '*.rs') Cargo.toml Cargo.lock engine/core/Cargo.toml engine/binding/Cargo.toml

.PHONY: setup demo test test-rust test-python lint format bench compatibility wheel fuzz clean
.DELETE_ON_ERROR:

setup: $(VENV)/.built

$(VENV)/.tools: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --group dev
	touch $@

$(VENV)/.built: $(VENV)/.tools $(ENGINE)
	VIRTUAL_ENV=$(CURDIR)/$(VENV) PATH=$(CURDIR)/$(BIN):$$PATH $(BIN)/maturin develop --quiet
	touch $@

demo: setup
	@PATH=$(CURDIR)/$(BIN):$$PATH examples/demo.sh

test: test-rust test-python

test-rust:
	cargo test --locked -p stillframe-engine

test-python: setup
	$(BIN)/python -m pytest

lint: setup
	cargo fmt --check
	cargo clippy --locked --workspace --all-targets -- -D warnings
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy

format: setup
	cargo fmt
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

bench: setup
	VIRTUAL_ENV=$(CURDIR)/$(VENV) PATH=$(CURDIR)/$(BIN):$$PATH $(BIN)/maturin develop --quiet --release
	PYTHONPATH=tests $(BIN)/python -m bench --write

compatibility: setup
	PYTHONPATH=tests $(BIN)/python -m support.compatibility

wheel: setup
	tests/wheel.sh $(BIN)

fuzz:
	engine/fuzz/run.sh $(FUZZ_SECONDS)

clean:
	rm -rf $(VENV) target dist
