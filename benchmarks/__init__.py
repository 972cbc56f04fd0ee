"""Measurements of gradcheck, each run as `python -m benchmarks.<name>`."""
