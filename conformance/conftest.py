"""Flags of ``pytest_suite.py``: those of ``python -m conformance``."""

import os

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("conformance")
    group.addoption("--base-url", help="A running server, with its /v1.")
    group.addoption("--model", default="smollm2-135m-instruct-tools", help="The model to ask.")
    group.addoption("--target", help="Profile of conformance/targets.")
    key = os.environ.get("OPENAI_API_KEY", "unused")
    group.addoption("--api-key", default=key, help="Default: OPENAI_API_KEY.")
