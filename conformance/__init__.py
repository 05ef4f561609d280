"""Conformance checks for servers that speak the OpenAI API."""
