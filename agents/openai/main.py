"""The common scenarios, with OpenAI's own SDK over each of its two APIs."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # for scenarios.py
import chat_scenarios
import responses_scenarios
from scenarios import run

run(
    "openai",
    "openai",
    {"chat": chat_scenarios.SCENARIOS, "responses": responses_scenarios.SCENARIOS},
)
