"""Training the adapter: ``python -m router.toolmodel.training --help``.

The base model is frozen; low-rank additions to its linear layers (LoRA, arXiv:2106.09685) are
trained on made-up conversations with plain PyTorch: in float32, or twice as quick in bfloat16 on
a CPU that multiplies it (Zen 4, Sapphire Rapids and later), which is half as quick on others.
"""
