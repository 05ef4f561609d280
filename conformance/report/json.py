"""Results for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from conformance.check import Check
from conformance.programs import Ran
from conformance.report import exchange
from conformance.report.verdict import Tally, Verdict
from conformance.runner import Result


def listing(checks: Sequence[Check]) -> str:
    return _document([_check(check) for check in checks])


def render(
    results: Sequence[Result], target: str, server: str, transcripts: Mapping[str, Path]
) -> str:
    """``verdict`` says what an outcome means for the run: see ``verdict.Verdict``."""
    tally = Tally.of(results)
    rows = [_result(result, transcripts.get(result.check.id)) for result in results]
    return _document(
        {
            "target": target,
            "server": server,
            "ok": tally.failed == 0,
            "counts": asdict(tally),
            "results": rows,
        }
    )


def _check(check: Check) -> dict[str, Any]:
    return {
        "id": check.id,
        "level": str(check.level),
        "cite": check.cite,
        "requirement": check.requirement,
        "scripted": check.scripted,
        "needs": check.needs,
    }


def _result(result: Result, transcript: Path | None) -> dict[str, Any]:
    return {
        **_check(result.check),
        "outcome": result.outcome,
        "verdict": str(Verdict.of(result)),
        "expectation": result.expectation,
        "seconds": round(result.seconds, 3),
        "expected": result.expected,
        "actual": result.actual,
        "hint": result.hint,
        "curl": exchange.curl(result.exchange),
        "transcript": transcript and str(transcript),
        "rounds": result.rounds,
        "program": result.ran and _program(result.ran),
    }


def _program(ran: Ran) -> dict[str, Any]:
    return {
        "command": ran.command,
        "version": ran.told and ran.told.version,
        "seconds": round(ran.seconds, 3),
        "requests": len(ran.exchanges),
        "stderr": ran.complained,
    }


def _document(value: Any) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"
