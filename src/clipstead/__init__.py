"""Clipstead: one self-hosted server, library and command for short-video media."""

__version__ = "0.1.0"
