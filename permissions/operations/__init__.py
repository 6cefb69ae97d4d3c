"""Every change to, and every question about, policies."""

from permissions.operations import inline, simulator

__all__ = ["inline", "simulator"]
