"""What the tool-calling model is made of.

``conversations`` writes the synthetic conversations that a LoRA of SmolLM2-135M-Instruct is
trained on; ``chat_template.jinja`` is the template they are trained and served with. Nothing
here is needed to serve, and nothing here imports more than the standard library.
"""
