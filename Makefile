# `make report` and `make test` on a fresh machine; PYTHON=/path/to/python names an interpreter.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help install report test lint types tests clean

VENV ?= .venv
OUT ?= out/public-evidence
JOBS ?= 2
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
TYPES := $(VENV)/types

help:
	@echo "make report   install what is needed, fit the published evidence, write its report and print where it is"
	@echo "make test     install what is needed, lint, check types on the wheel, run the tests"
	@echo "make install  only the virtual environment, in $(VENV)"
	@echo "make clean    remove $(VENV), out and build"

$(STAMP): pyproject.toml constraints.txt
	@found=$$(PYTHON="$(PYTHON)" sh .ci/find-python) || exit 1; \
	echo "Installing into $(VENV) with $$("$$found" --version), $$found; this happens once and takes a few minutes." >&2; \
	rm -rf "$(VENV)" && "$$found" -m venv "$(VENV)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test]'
	@touch $@

install: $(STAMP)

report: $(STAMP)
	@[ -e "$(OUT)/plan.toml" ] || $(BIN)/attrition init public-evidence "$(OUT)"
	@$(BIN)/attrition validate "$(OUT)/plan.toml"
	@$(BIN)/attrition estimate "$(OUT)/plan.toml"
	@$(BIN)/attrition check "$(OUT)/plan.toml"
	@$(BIN)/attrition report "$(OUT)/plan.toml"

test: lint types tests

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

# Import hooks of an editable install are invisible to mypy, so it reads the installed wheel.
types: $(STAMP)
	@rm -rf build "$(TYPES)/wheel" "$(TYPES)/site"
	@$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation \
	    --wheel-dir "$(TYPES)/wheel" .
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --target "$(TYPES)/site" \
	    "$(TYPES)"/wheel/*.whl
	@rm -rf build
	@root="$$PWD"; venv="$$(cd "$(VENV)" && pwd)"; cd "$(TYPES)" && MYPYPATH="$$PWD/site" \
	    "$$venv/bin/mypy" --config-file "$$root/pyproject.toml" --cache-dir "$$PWD/cache" -p attrition

tests: $(STAMP)
	$(BIN)/python -m pytest -q -rs -n $(JOBS) --dist loadfile

clean:
	rm -rf "$(VENV)" out build
