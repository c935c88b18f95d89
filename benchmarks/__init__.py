"""Benchmarks: `make bench`. Each compares within one run and prints ratios; nothing here is a test."""
