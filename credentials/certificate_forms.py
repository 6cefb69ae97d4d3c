"""The forms of server certificates and signing certificates."""

import codecs
from typing import Any

from django import forms

from accounts.forms import PATH_HINT, PATH_RULE
from credentials.device_forms import SeedsInput
from iamconsole.errors import Fault, KeyPairMismatch, MalformedCertificate
from iamconsole.forms import MARK, ConsoleForm

NAME_HINT = "Up to 128 letters, digits and + = , . @ _ -. Names that differ only in case are the same name."
NAME_RULE = "Use up to 128 letters, digits and + = , . @ _ -."
NOT_PEM = "This is not text in PEM format, or it is longer than AWS takes."
PEM = {"rows": 8, "autocomplete": "off", "spellcheck": "false", "class": "code short"}


class PastedField(forms.CharField):
    """A text that must be pasted unless its file is chosen: ``either`` keeps the page from calling it optional."""

    either = True


class ChosenField(forms.FileField):
    """A file that must be chosen unless its text is pasted."""

    either = True


def _text(label: str, *, optional: bool = False, help_text: str = "") -> forms.CharField:
    return (forms.CharField if optional else PastedField)(
        label=label,
        required=False,
        widget=forms.Textarea(attrs=PEM),
        help_text=help_text,
        error_messages={"rule": NOT_PEM},
    )


def _file(label: str, help_text: str = "") -> forms.FileField:
    return ChosenField(label=label, required=False, help_text=help_text)


class PastedOrChosenForm(ConsoleForm):
    """A form whose texts are pasted, or come from files named ``…_file``; a file counts more."""

    def _take(self, data: dict[str, Any], name: str, missing: str = "") -> None:
        file = data.pop(f"{name}_file", None)
        if file:
            # Of other bytes than PEM's, the operation says so; but editors of Windows begin a text with a mark.
            data[name] = file.read().removeprefix(codecs.BOM_UTF8).decode("latin-1")
        elif data.get(name):
            data[name] = data[name].removeprefix(MARK)
        elif missing:
            self.add_error(name, missing)


class UploadServerCertificateForm(PastedOrChosenForm):
    """A server certificate, its private key and its chain."""

    server_certificate_name = forms.CharField(
        label="Name", max_length=128, help_text=NAME_HINT, error_messages={"rule": NAME_RULE}
    )
    path = forms.CharField(max_length=512, initial="/", help_text=PATH_HINT, error_messages={"rule": PATH_RULE})
    certificate_body = _text("Certificate", help_text="The server's own certificate alone, in PEM format.")
    certificate_body_file = _file("Or its file")
    private_key = PastedField(
        label="Private key",
        required=False,
        widget=SeedsInput(attrs=PEM),
        help_text="RSA of 2048 to 4096 bits, or ECDSA; without a passphrase. It is sealed, and no page shows it again.",
        error_messages={"rule": NOT_PEM},
    )
    private_key_file = _file("Or its file")
    certificate_chain = _text(
        "Certificate chain",
        optional=True,
        help_text="The issuer's certificate first, then each one's issuer; 20 at most. Clients need it if the issuer is not known"
        " to them.",
    )
    certificate_chain_file = _file("Or its file")

    @property
    def secrets(self) -> frozenset[str]:
        """The private key."""
        return frozenset({"private_key"})

    def clean(self) -> dict[str, Any]:
        """The texts, wherever they come from."""
        data = super().clean() or {}
        self._take(data, "certificate_body", "Paste the certificate, or choose its file.")
        self._take(data, "private_key", "Paste the private key, or choose its file. A refused form does not keep it.")
        self._take(data, "certificate_chain")
        return data

    def refuse(self, fault: Fault) -> None:
        """Say what is wrong at the text that it is wrong with."""
        if isinstance(fault, KeyPairMismatch) or fault.message.startswith("Invalid Private Key."):
            self.add_error("private_key", fault.message)
        elif isinstance(fault, MalformedCertificate):
            of_chain = "certificate chain" in fault.message
            self.add_error("certificate_chain" if of_chain else "certificate_body", fault.message)
        else:
            super().refuse(fault)

    @property
    def given(self) -> dict[str, Any]:
        """The parameters of UploadServerCertificate: what was left empty is not given."""
        return {name: value for name, value in self.cleaned_data.items() if value}


class RenameServerCertificateForm(ConsoleForm):
    """A server certificate's name and path."""

    new_server_certificate_name = forms.CharField(
        label="Name", max_length=128, help_text=NAME_HINT, error_messages={"rule": NAME_RULE}
    )
    new_path = forms.CharField(label="Path", max_length=512, help_text=PATH_HINT, error_messages={"rule": PATH_RULE})


class UploadSigningCertificateForm(PastedOrChosenForm):
    """A certificate to sign with. Its private key stays where it is."""

    certificate_body = _text(
        "Certificate", help_text="The certificate alone, in PEM format. Keep its private key to yourself."
    )
    certificate_body_file = _file("Or its file")

    def clean(self) -> dict[str, Any]:
        """The text, wherever it comes from."""
        data = super().clean() or {}
        self._take(data, "certificate_body", "Paste the certificate, or choose its file.")
        return data

    def refuse(self, fault: Fault) -> None:
        """What is wrong with the certificate is said at it."""
        if isinstance(fault, MalformedCertificate):
            self.add_error("certificate_body", "This is not a certificate in PEM format.")
        else:
            super().refuse(fault)
