"""The Responses API's own: items, what is kept of them, and the events of an answer."""
