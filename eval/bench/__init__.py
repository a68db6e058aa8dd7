"""Benchmarks of single promises, each a module with its own command; figures go into eval/LOG.md."""
