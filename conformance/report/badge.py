"""The JSON that shields.io's endpoint badge reads."""

from __future__ import annotations

import json
from collections.abc import Sequence

from conformance.report.verdict import Tally
from conformance.runner import Result


def render(results: Sequence[Result]) -> str:
    tally = Tally.of(results)
    judged = tally.passed + tally.failed
    share = tally.passed / judged if judged else 0
    color = "brightgreen" if share == 1 else "yellow" if share >= 0.9 else "red"
    badge = {
        "schemaVersion": 1,
        "label": "OpenAI conformance",
        "message": f"{tally.passed}/{judged}",
        "color": color if judged else "lightgrey",
    }
    return json.dumps(badge) + "\n"
