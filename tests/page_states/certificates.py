"""States of server certificates and signing certificates."""

from tests.page_states.acts import CHANGE, CREDENTIALS
from tests.page_states.state import State, press

CERTIFICATES, NEW_CERTIFICATE = (
    "admin:credentials_servercertificate_changelist",
    "admin:credentials_servercertificate_add",
)
CERTIFICATE = "admin:credentials_servercertificate_change"
STATES = [
    State(CERTIFICATES, "typical", "alice", "Expires within 7 days"),
    State(CERTIFICATES, "expired", "alice", "Expired", query="?ends=over"),
    State(CERTIFICATES, "nothing matches", "alice", "Nothing matches", query="?q=nothing-of-the-kind"),
    State(CERTIFICATES, "empty", "beginner", "openssl req"),
    State(CERTIFICATES, "not permitted", "nobody", "iam:ListServerCertificates"),
    State(CERTIFICATE, "typical", "alice", "www", ("www",)),
    State(CERTIFICATE, "expired", "alice", "clients refuse it", ("over",)),
    State(CERTIFICATE, "ends soon", "alice", "It expires within 7 days", ("week",)),
    State(CERTIFICATE, "missing", "alice", "cannot be found", ("nowhere",)),
    State(CERTIFICATE, "not permitted", "nobody", "iam:GetServerCertificate", ("www",)),
    State(NEW_CERTIFICATE, "form", "alice", "Upload server certificate"),
    State(NEW_CERTIFICATE, "empty", "alice", "Paste the certificate", then=press("Upload certificate")),
    State(
        NEW_CERTIFICATE,
        "error",
        "alice",
        "Unable to parse certificate",
        then=press("Upload certificate", server_certificate_name="x", certificate_body="junk", private_key="junk"),
    ),
    State(NEW_CERTIFICATE, "not permitted", "nobody", "iam:UploadServerCertificate"),
    State("admin:server-certificate-rename", "form", "alice", "The ARN changes", ("www",)),
    State(
        "admin:server-certificate-rename",
        "error",
        "alice",
        "already exists",
        ("www",),
        then=press("Save", new_server_certificate_name="over"),
    ),
    State("admin:server-certificate-tags", "typical", "alice", "blue", ("www",)),
    State("admin:server-certificate-tags", "empty", "alice", "Add a tag", ("week",)),
    State(
        "admin:server-certificate-tags", "error", "alice", "reserved", ("www",), then=press("Save tag", key="aws:team")
    ),
    State("admin:credentials_servercertificate_delete", "typical", "alice", "This cannot be undone", ("www",)),
    State(
        "admin:credentials_servercertificate_delete",
        "error",
        "alice",
        "not the name",
        ("www",),
        then=press("Delete server certificate", typed_name="x"),
    ),
    State(CHANGE, "signing certificates", "alice", "X.509 signing certificates (2 of 2)", ("carol",), CREDENTIALS),
    State("admin:me", "signing certificate", "root", "X.509 signing certificates (1 of 2)"),
    State("admin:user-signing-upload", "form", "alice", "openssl req -x509", ("bob",)),
    State(
        "admin:user-signing-upload",
        "error",
        "alice",
        "not a certificate in PEM format",
        ("bob",),
        then=press("Upload signing certificate", certificate_body="junk"),
    ),
    State("admin:user-signing-upload", "not permitted", "helper", "iam:UploadSigningCertificate", ("bob",)),
    State("admin:user-signing-delete", "typical", "alice", "can be uploaded again", ("carol", "@signing-off")),
    State("admin:user-signing-delete", "missing", "alice", "cannot be found", ("carol", "A" * 32)),
    State("admin:me-signing-upload", "form", "alice", "Upload signing certificate"),
    State("admin:me-signing-delete", "typical", "root", "can be uploaded again", ("@mine",)),
]
