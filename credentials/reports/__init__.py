"""Credential reports: what stands in a row, how a report is built and kept, what it finds, how two of them differ."""
