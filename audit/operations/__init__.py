"""Every question about what happened, and what keeps the trail from growing for ever."""

from audit.operations import decisions, events, sign_ins

__all__ = ["decisions", "events", "sign_ins"]
