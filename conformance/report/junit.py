"""JUnit XML, which every CI shows: a suite for each section."""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree import ElementTree as ET

from conformance.report import exchange
from conformance.report.verdict import STALE_HINT, Tally, Verdict, by_section
from conformance.runner import Result

NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(results: Sequence[Result]) -> str:
    root = ET.Element("testsuites", _counts("conformance", results))
    for section, members in by_section(results).items():
        suite = ET.SubElement(root, "testsuite", _counts(section, members))
        for result in members:
            _case(suite, result)
    ET.indent(root)
    return ET.tostring(root, "unicode", xml_declaration=True) + "\n"


def _counts(name: str, results: Sequence[Result]) -> dict[str, str]:
    tally = Tally.of(results)
    return {
        "name": name,
        "tests": str(len(results)),
        "failures": str(tally.failed),
        "errors": "0",
        "skipped": str(tally.skipped),
        "time": f"{sum(result.seconds for result in results):.3f}",
    }


def _case(suite: ET.Element, result: Result) -> None:
    check = result.check
    case = ET.SubElement(
        suite,
        "testcase",
        {
            "classname": f"conformance.{check.section}",
            "name": check.id,
            "time": f"{result.seconds:.3f}",
        },
    )
    match Verdict.of(result):
        case Verdict.FAILED:
            _child(case, "failure", f"expected {result.expected}, got {result.actual}", result)
        case Verdict.STALE:
            _child(case, "failure", STALE_HINT, result)
        case Verdict.EXPECTED:
            _child(case, "skipped", f"fails as expected: {result.expectation}", None)
        case Verdict.SKIPPED:
            _child(case, "skipped", result.actual, None)
        case Verdict.WARNING:
            warning = f"warning: expected {result.expected}, got {result.actual}"
            ET.SubElement(case, "system-out").text = _clean(warning)


def _child(case: ET.Element, tag: str, message: str, detailed: Result | None) -> None:
    child = ET.SubElement(case, tag, {"message": _clean(message)})
    if detailed:
        details = (detailed.check.requirement, detailed.hint, exchange.curl(detailed.exchange))
        child.text = _clean("\n".join(filter(None, details)))


def _clean(text: str) -> str:
    """Without what XML cannot carry; models say anything."""
    return NOT_XML.sub("\ufffd", text)
