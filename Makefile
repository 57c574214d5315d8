# `make chat` and `make test` need nothing before them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help install chat index evaluate support weights reranker load test lint types tests clean

help:  ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(VENV)/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --progress-bar off -c constraints.txt -e .
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --progress-bar off -c constraints.txt -e '.[dev]'
	@touch $@

install: $(VENV)/installed  ## make .venv and install the project and its command into it

chat: install  ## index the library if need be, and serve the chat
	$(BIN)/rapporteur chat

index: install  ## make the index equal the library
	$(BIN)/rapporteur index

evaluate: install  ## score the answers to the test questions; writes reports/
	$(BIN)/rapporteur evaluate tests/data/questions.jsonl
	$(BIN)/rapporteur evaluate tests/data/questions.jsonl --without-questions --report reports/without-questions

load: $(VENV)/installed-dev  ## measure many visitors at once against one alone
	$(BIN)/python tests/load_benchmark.py

support: install  ## measure the check of written sentences on its own pairs
	$(BIN)/python -m assistant.support_evaluation tests/data/support_pairs.jsonl corpus/texts

weights: $(VENV)/installed-dev  ## fit the weights of passages and sentences to the development questions
	$(BIN)/python tests/fit_weights.py tests/data/questions.jsonl

reranker: $(VENV)/installed-dev  ## train the reranker on the library's questions; an hour
	$(BIN)/rapporteur index
	$(BIN)/python tests/fit_reranker.py tests/data/training.jsonl

lint: $(VENV)/installed-dev  ## style and errors
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/installed-dev  ## types
	$(BIN)/mypy

tests: $(VENV)/installed-dev  ## all tests
	$(BIN)/python -m pytest

test: lint types tests  ## lint, types and all tests

clean:  ## remove the environment, the index and all caches
	rm -rf $(VENV) index/data build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
