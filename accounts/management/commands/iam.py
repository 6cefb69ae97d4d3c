"""``manage.py iam``: any operation, as the root user of an account."""

import getpass
import json
import sys
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.management.commands._shell import faults_as_command_errors, root_of
from api import wire
from api.shapes import OperationModel, Shape, services
from iamconsole.operation import Operation, every_operation


class Command(BaseCommand):
    """Run an operation."""

    help = (
        "Run an operation as an account's root user and print its answer as JSON. Parameters are written as on the wire: "
        "UserName=alice Tags.member.1.Key=team Tags.member.1.Value=blue. A secret is read from the terminal or from "
        "standard input when it is given as '-': Password=-"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """OPERATION Key=Value ... --account A."""
        parser.add_argument("operation", help="an operation's name, such as CreateUser")
        parser.add_argument("parameters", nargs="*", metavar="Key=Value")
        parser.add_argument("--account", required=True, help="the account's id or alias")

    def handle(self, *args: Any, **options: Any) -> None:
        """Parse by the same model as the wire, run, print by the output shape."""
        operation = _operation(options["operation"])
        model = operation.model
        caller = root_of(options["account"])
        with faults_as_command_errors():
            parameters = wire.parse(model, _pairs(model, options["parameters"]))
            result = operation(caller, **parameters)
            data = wire.pick(model.output, result, secrets=operation.issues_secret, omits=operation.omits)
        if data:
            self.stdout.write(json.dumps(data, indent=4))


def _operation(name: str) -> Operation[Any]:
    by_name = {each.name: each for each in every_operation() if not each.by_operator}
    if name in by_name:
        return by_name[name]
    if any(name in service.operations for service in services().values()):
        raise CommandError(f"The operation {name} is not supported by this release, or has a command of its own.")
    raise CommandError(f"There is no operation {name}. There are: {', '.join(sorted(by_name))}")


def _pairs(model: OperationModel, arguments: list[str]) -> dict[str, str]:
    """The parameters as they stand in a request. A sensitive one may not stand in argv, where every process reads it."""
    pairs: dict[str, str] = {}
    members = model.input.members if model.input else {}
    for argument in arguments:
        name, equals, value = argument.partition("=")
        if not equals:
            raise CommandError(f"{argument}: write parameters as Key=Value.")
        if name in pairs:
            raise CommandError(f"The parameter {name} is given twice.")
        member = name.partition(".")[0]
        if member not in members:
            raise CommandError(f"{model.name} has no parameter {member}. It has: {', '.join(members) or 'none'}")
        if model.input and any(shape.sensitive for shape in _along(model.input, name)):
            if value != "-":
                raise CommandError(
                    f"{name} is a secret: write {name}=- and it is read from the terminal or standard input."
                )
            value = getpass.getpass(f"{name}: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
        pairs[name] = value
    return pairs


def _along(shape: Shape, name: str) -> Iterator[Shape]:
    """The shapes that a parameter's name leads through, as far as there are any: ``Tags.member.1.Key`` leads through three."""
    for part in name.split("."):
        if part.isdecimal() or part == "entry":
            continue
        parts = shape.members or shape.parts
        if part not in parts:
            return
        shape = parts[part]
        yield shape
