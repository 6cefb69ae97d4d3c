"""Figures in milliseconds and requests a second, measured on the machine at hand."""
