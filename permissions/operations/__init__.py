"""Every change to, and every question about, policies."""

from permissions.operations import (
    attachments,
    authorization_details,
    boundaries,
    granting,
    inline,
    last_accessed,
    managed,
    policy_tags,
    simulator,
    versions,
    whole_policies,
)

__all__ = [
    "attachments",
    "authorization_details",
    "boundaries",
    "granting",
    "inline",
    "last_accessed",
    "managed",
    "policy_tags",
    "simulator",
    "versions",
    "whole_policies",
]
