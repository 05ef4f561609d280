"""Recording what clients and a server say to each other, into ``fixtures/traffic``."""
