"""Every question about what happened."""

from audit.operations import decisions

__all__ = ["decisions"]
