"""What a run says: lines while it goes on, a summary, and files for people and other tools."""

from conformance.report.console import line, listing, live, summary, to_stderr
from conformance.report.files import write
from conformance.report.transcripts import save

__all__ = ["line", "listing", "live", "save", "summary", "to_stderr", "write"]
