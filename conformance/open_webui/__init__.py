"""Open WebUI against the router, used in a browser as people use it: ``nox -s open-webui``."""
