"""Training the adapter: ``python -m router.toolmodel.training --help``.

The base model is frozen; low-rank additions to its linear layers (LoRA, arXiv:2106.09685) are
trained on made-up conversations with plain PyTorch in float32, which on a CPU does more than
twice the work a second that bfloat16 does where there is no matrix unit.
"""
