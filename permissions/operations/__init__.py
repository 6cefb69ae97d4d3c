"""Every change to, and every question about, policies."""

from permissions.operations import inline

__all__ = ["inline"]
