"""Ready commands for what credentials are made and used with."""

from iamconsole.snippets import Snippet, aws


def making_a_server_certificate() -> list[Snippet]:
    """How a key and a request for a certificate are made, and how the certificate is uploaded."""
    return [
        Snippet(
            "Make a key and a request for your certificate authority",
            "openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \\\n"
            "  -keyout privkey.pem -out request.csr \\\n"
            '  -subj "/CN=www.example.org" -addext "subjectAltName=DNS:www.example.org"',
        ),
        Snippet(
            "Upload with the aws CLI",
            aws(
                "iam upload-server-certificate --server-certificate-name www \\\n"
                "  --certificate-body file://cert.pem --private-key file://privkey.pem \\\n"
                "  --certificate-chain file://chain.pem"
            ),
        ),
    ]


def using_a_server_certificate(account_id: str, name: str) -> list[Snippet]:
    """How the operator gives a certificate to a TLS server."""
    folder = f"/etc/iamconsole-tls/{name}"
    return [
        Snippet(
            "Write its files and reload nginx when they have changed",
            f"manage.py export_server_certificate {name} --account {account_id} \\\n"
            f"  --to {folder} --reload 'systemctl reload nginx'",
        ),
        Snippet("In nginx", f"server {{\n  listen 443 ssl;\n  include {folder}/nginx.conf;\n}}"),
        Snippet("Anything else that reads PEM", f"{folder}/current/fullchain.pem\n{folder}/current/privkey.pem"),
        Snippet(
            "When does it end?",
            aws(
                f"iam get-server-certificate --server-certificate-name {name} \\\n"
                "  --query ServerCertificate.ServerCertificateMetadata.Expiration"
            ),
        ),
    ]


def making_a_signing_certificate(user_name: str | None) -> list[Snippet]:
    """How a certificate to sign with is made, and uploaded."""
    name = user_name or "me"
    to = f" --user-name {user_name}" if user_name else ""
    return [
        Snippet(
            "Make a key and a certificate",
            f'openssl req -x509 -newkey rsa:3072 -nodes -days 365 -subj "/CN={name}" \\\n'
            "  -keyout signing-key.pem -out signing-cert.pem",
        ),
        Snippet(
            "Upload with the aws CLI",
            aws(f"iam upload-signing-certificate{to} --certificate-body file://signing-cert.pem"),
        ),
        Snippet(
            "Sign a file, and check it",
            "openssl cms -sign -binary -in report.pdf -signer signing-cert.pem -inkey signing-key.pem \\\n"
            "  -outform DER -out report.pdf.p7s\n"
            "openssl cms -verify -binary -content report.pdf -inform DER -in report.pdf.p7s \\\n"
            "  -certfile signing-cert.pem -CAfile signing-cert.pem -purpose any -out /dev/null",
        ),
    ]
