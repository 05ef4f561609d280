"""How fast, as ratios taken in one run: absolute times say more of the machine than of a server."""
