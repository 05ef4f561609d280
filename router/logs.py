"""Log lines: for people, or one JSON object a line for machines."""

from __future__ import annotations

import json
import logging
from typing import Any, Literal

from router.metrics import Record
from router.middleware import OPEN_PATHS

LogFormat = Literal["text", "json"]

QUIET_PATHS = OPEN_PATHS | {"/metrics"}
"""Polled every few seconds by probes; worth a line only when they say something unusual."""

USUAL = frozenset({200, 503})


def configure(log_format: LogFormat) -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter() if log_format == "json" else TextFormatter())
    handler.addFilter(_worth_a_line)
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for chatty in ("uvicorn", "httpx", "huggingface_hub"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def _worth_a_line(entry: logging.LogRecord) -> bool:
    request = getattr(entry, "request", None)
    return not (request and request["path"] in QUIET_PATHS and request["status"] in USUAL)


class TextFormatter(logging.Formatter):
    def __init__(self) -> None:
        super().__init__("%(asctime)s %(message)s", datefmt="%H:%M:%S")

    def format(self, entry: logging.LogRecord) -> str:
        line = super().format(entry)
        if request := getattr(entry, "request", None):
            return f"{line}  {_request_text(request)}"
        return line if entry.levelno < logging.WARNING else f"{line}  [{entry.levelname.lower()}]"


class JsonFormatter(logging.Formatter):
    def format(self, entry: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": round(entry.created, 3),
            "level": entry.levelname.lower(),
            "logger": entry.name,
            "message": entry.getMessage(),
        }
        if request := getattr(entry, "request", None):
            line |= {k: v for k, v in request.items() if k != "record"}
            line |= _record_fields(request["record"])
        if entry.exc_info:
            line["exception"] = self.formatException(entry.exc_info)
        return json.dumps(line, ensure_ascii=False)


def _request_text(request: dict[str, Any]) -> str:
    record: Record | None = request["record"]
    parts = [f"{request['seconds']:.2f}s", request["request_id"]]
    if record:
        speed = record.tokens_per_second
        parts = [
            record.model,
            f"{record.prompt_tokens} prompt ({record.cached_tokens} cached)",
            f"{record.completion_tokens} completion",
            "" if record.ttft is None else f"ttft {record.ttft:.2f}s",
            "" if speed is None else f"{speed:.1f} tok/s",
            record.finish_reason,
            f"tools {','.join(record.tool_calls)}" if record.tool_calls else "",
            *parts,
        ]
    return " · ".join(part for part in parts if part)


def _record_fields(record: Record | None) -> dict[str, Any]:
    if record is None:
        return {}
    speed = record.tokens_per_second
    return {
        "model": record.model,
        "stream": record.stream,
        "prompt_tokens": record.prompt_tokens,
        "cached_tokens": record.cached_tokens,
        "completion_tokens": record.completion_tokens,
        "ttft": record.ttft,
        "tokens_per_second": speed,
        "finish_reason": record.finish_reason,
        "tool_calls": record.tool_calls,
    }
