"""How the tool-calling model was taught: see README.md here.

Nothing in this package is needed to serve; ``embedded`` only reads the adapter and the template.
"""
