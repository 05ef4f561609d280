"""Servers that go on for clients that have left."""

from __future__ import annotations

from conformance.tests.mutation import Json, Mutant, spoils


def plays(request: Json, name: str) -> bool:
    """Is it the answer that repeats this word?"""
    return f"{name} {name} " in str(request.get("messages"))


@spoils("cancel.stream")
class StreamsOn(Mutant):
    def keeps_reading(self, request: Json) -> bool:
        return plays(request, "stream")


@spoils("cancel.prefill")
class ReadsPromptsOn(Mutant):
    def keeps_reading(self, request: Json) -> bool:
        return plays(request, "prefill")


@spoils("cancel.nonstream")
class CompletesForNobody(Mutant):
    def keeps_reading(self, request: Json) -> bool:
        return plays(request, "whole")


@spoils("cancel.queued")
class QueuesTheDead(Mutant):
    def keeps_reading(self, request: Json) -> bool:
        return plays(request, "queued")


@spoils("cancel.burst")
class KeepsTheBurst(Mutant):
    def keeps_reading(self, request: Json) -> bool:
        return plays(request, "burst")
