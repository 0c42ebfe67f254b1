"""Measurements, side by side in one run; figures and how to repeat them are in README.md."""
