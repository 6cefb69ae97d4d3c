"""The form of SSH public keys."""

from typing import Any

from django import forms

from credentials.ssh.public_keys import LONGEST
from iamconsole.errors import DuplicateSSHPublicKey, Fault, InvalidPublicKey, UnrecognizedPublicKeyEncoding
from iamconsole.forms import MARK, ConsoleForm

SAID = {
    DuplicateSSHPublicKey: "The user has this key already.",
    InvalidPublicKey: "This key is not accepted: RSA keys have 2048 to 8192 bits, and others must be whole.",
    UnrecognizedPublicKeyEncoding: "This is no public key. Paste the one line of the file that ends in .pub: it begins with"
    " ssh-ed25519, ssh-rsa, ecdsa-sha2- or sk-.",
}


class SSHKeyForm(ConsoleForm):
    """A public key, pasted."""

    ssh_public_key_body = forms.CharField(
        label="Public key",
        max_length=LONGEST,
        widget=forms.Textarea(attrs={"rows": 5, "spellcheck": "false", "autocomplete": "off", "class": "mono"}),
        help_text="The one line of the file that ends in .pub, such as ~/.ssh/id_ed25519.pub. Never the other file, which is the"
        " secret half, nor somebody else's key: of two users none comes in by the key alone. Ed25519, ECDSA, RSA from 2048 bits,"
        " and keys in security keys (sk-); PEM too.",
        error_messages={
            "rule": SAID[UnrecognizedPublicKeyEncoding],
            "private": "This is the secret half, which must not leave your machine. It was not kept. Paste the line of the file"
            " that ends in .pub.",
        },
    )

    def clean(self) -> dict[str, Any]:
        """A secret half that was pasted is neither passed on nor shown again."""
        data = super().clean() or {}
        if "PRIVATE KEY" in str(self.data.get("ssh_public_key_body", "")):
            self.data = {}
            self.add_error("ssh_public_key_body", self.fields["ssh_public_key_body"].error_messages["private"])
        elif "ssh_public_key_body" in data:
            data["ssh_public_key_body"] = data["ssh_public_key_body"].removeprefix(MARK)
        return data

    def refuse(self, fault: Fault) -> None:
        """What is wrong with a key is said at its field."""
        if said := SAID.get(type(fault)):
            self.add_error("ssh_public_key_body", said)
        else:
            super().refuse(fault)
