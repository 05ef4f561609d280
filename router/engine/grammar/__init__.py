"""What an answer must look like, as llguidance grammars: calls to the offered tools, and JSON."""
