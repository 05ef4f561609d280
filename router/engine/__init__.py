"""Everything that runs in a model process. Nothing outside this package imports mlx."""
