"""States of the details and the rotation of access keys, and of Git credentials and API keys."""

from tests.page_states.acts import reveal
from tests.page_states.state import State, press

STATES = [
    State("admin:me-key-details", "form", "alice", "The key expires", ("own",)),
    State("admin:me-key-details", "error", "alice", "365", ("own",), then=press("Save", duration_days="9999")),
    State("admin:me-key-rotate", "first step", "alice", "Nothing stops on the way", ("own",)),
    State("admin:me-service-create", "form", "alice", "What is it for?"),
    State("admin:me-service-reset", "typical", "alice", "stops at once", ("@own git",)),
    State("admin:me-service-delete", "typical", "alice", "This cannot be undone", ("@own git",)),
    State("admin:user-key-details", "form", "alice", "The key expires", ("carol", "active")),
    State("admin:user-key-rotate", "both taken", "alice", "Both places for keys are taken", ("carol", "active")),
    State("admin:user-key-rotate", "handing over", "alice", "has not been used yet", ("rotor", "@rotated")),
    State("admin:index", "a key in rotation", "alice", "Access keys that are being rotated"),
    State("admin:user-service-create", "form", "alice", "What is it for?", ("bob",)),
    State(
        "admin:user-service-create",
        "shown",
        "alice",
        "shown once",
        ("bob",),
        then=reveal("secret", press("Create credential")),
    ),
    State("admin:user-service-create", "not permitted", "helper", "CreateServiceSpecificCredential", ("bob",)),
    State("admin:user-service-reset", "typical", "alice", "stops at once", ("carol", "@git")),
    State("admin:user-service-reset", "expired", "alice", "Delete it and create another", ("carol", "@expired")),
    State("admin:user-service-delete", "typical", "alice", "This cannot be undone", ("carol", "@git")),
    State("admin:key-settings", "form", "alice", "It holds for new keys"),
    State("admin:key-settings", "not permitted", "nobody", "iamconsole:GetAccessKeySettings"),
    State(
        "admin:key-settings",
        "impact",
        "alice",
        "Nothing is saved yet",
        then=press("Show what it means", maximum_days="60"),
    ),
]
