"""States of SSH public keys."""

from tests.page_states.acts import CHANGE, CREDENTIALS
from tests.page_states.state import State, press
from tests.ssh_keys import new_ssh_key

DELETE = "Delete SSH public key"
UPLOAD = "Upload SSH public key"
STATES = [
    State(CHANGE, "SSH keys", "alice", "SSH public keys (2 of 5)", ("carol",), CREDENTIALS),
    State(CHANGE, "no SSH keys", "alice", "Make a key on your own machine", ("bob",), CREDENTIALS),
    State(CHANGE, "SSH keys everywhere", "alice", "All 5 places are taken", ("newcomer",), CREDENTIALS),
    State(CHANGE, "SSH keys, not permitted", "helper", "iam:ListSSHPublicKeys", ("carol",), CREDENTIALS),
    State("admin:me", "SSH key", "alice", "SSH public keys (1 of 5)"),
    State("admin:me", "shared SSH key", "alice", "A key of several users does not say who comes"),
    State("admin:index", "shared SSH keys", "alice", "Users with an SSH public key that others have too"),
    State("admin:me", "no SSH keys", "late", "SSH public keys (0 of 5)"),
    State("admin:me", "SSH keys, not permitted", "nobody", "iam:ListSSHPublicKeys"),
    State("admin:user-ssh-key-upload", "form", "alice", "Upload SSH public key for bob", ("bob",)),
    State(
        "admin:user-ssh-key-upload", "nothing entered", "alice", "This field is required", ("bob",), then=press(UPLOAD)
    ),
    State(
        "admin:user-ssh-key-upload",
        "error",
        "alice",
        "This is no public key",
        ("bob",),
        then=press(UPLOAD, ssh_public_key_body="junk"),
    ),
    State(
        "admin:user-ssh-key-upload",
        "secret half",
        "alice",
        "This is the secret half",
        ("bob",),
        then=press(UPLOAD, ssh_public_key_body="-----BEGIN OPENSSH PRIVATE KEY-----"),
    ),
    State(
        "admin:user-ssh-key-upload",
        "full",
        "alice",
        "Cannot exceed quota",
        ("newcomer",),
        then=press(UPLOAD, ssh_public_key_body=new_ssh_key()),
    ),
    State(
        "admin:user-ssh-key-upload",
        "not there",
        "alice",
        "cannot be found",
        ("nobody-at-all",),
        then=press(UPLOAD, ssh_public_key_body=new_ssh_key()),
    ),
    State("admin:user-ssh-key-upload", "not permitted", "helper", "iam:UploadSSHPublicKey", ("bob",)),
    State("admin:user-ssh-key-delete", "active", "alice", "deactivate it first", ("carol", "@ssh")),
    State("admin:user-ssh-key-delete", "inactive", "alice", "This cannot be undone", ("carol", "@ssh-off")),
    State(
        "admin:user-ssh-key-delete",
        "error",
        "alice",
        "not the ID",
        ("carol", "@ssh-off"),
        then=press(DELETE, typed_id="x"),
    ),
    State("admin:user-ssh-key-delete", "not there", "alice", "cannot be found", ("carol", "@ssh-own")),
    State("admin:user-ssh-key-delete", "not permitted", "helper", "iam:ListSSHPublicKeys", ("carol", "@ssh")),
    State("admin:me-ssh-key-upload", "form", "alice", "comes in over SSH as you"),
    State("admin:me-ssh-key-upload", "root user", "root", "The root user has no SSH public keys"),
    State("admin:me-ssh-key-upload", "not permitted", "nobody", "iam:UploadSSHPublicKey"),
    State("admin:me-ssh-key-delete", "active", "alice", "deactivate it first", ("@ssh-own",)),
    State("admin:me-ssh-key-delete", "not permitted", "nobody", "iam:ListSSHPublicKeys", ("@ssh-own",)),
]
