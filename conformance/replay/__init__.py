"""Recorded traffic with api.openai.com: fetched, judged, and replayed against a server."""
