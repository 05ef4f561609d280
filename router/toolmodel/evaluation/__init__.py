"""How well a model calls tools that it was never trained on, asked through the router."""
