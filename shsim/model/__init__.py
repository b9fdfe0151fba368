"""Frozen, validated values: what the layers above pass to each other."""
