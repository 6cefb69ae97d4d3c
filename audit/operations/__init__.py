"""Every question about what happened."""

from audit.operations import decisions, sign_ins

__all__ = ["decisions", "sign_ins"]
