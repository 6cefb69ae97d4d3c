"""What a case of the policy tables looks like, its words left out: two cases of one shape put the same question twice.

Operators of one kind that ask in one sense are alike, as StringEquals and StringLike, or NumericLessThan and NumericEquals.
So are two values and three.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

Context = Mapping[str, list[str]]
Form = Callable[[Any], str]
KINDS = ("String", "Numeric", "Date", "Bool", "Binary", "IpAddress", "Arn", "Null")
LISTS = ("Action", "NotAction", "Resource", "NotResource")
PRINCIPALS = ("Principal", "NotPrincipal")
OF_AN_ACCOUNT = re.compile(r"\d{12}|arn:aws:iam::\d{12}:root")
VARIABLE = re.compile(r"\$\{([^}]*)\}")


def shape_of(case: Mapping[str, Any]) -> Any:
    """The shape: of the policies, of who asks for what, and of the answer."""
    request, policies = case["request"], case["policies"]
    context = request["context"]
    return (
        tuple(_document(each, context) for each in policies["identity"]),
        _document(policies["boundary"], context),
        _document(policies["resource"], context),
        request["principal_arn"].split(":")[5].partition("/")[0],
        request.get("resource_account", request["principal_account"]) == request["principal_account"],
        case["decision"],
        case["decided_by"],
    )


def statements_of(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The statements, of which a document may hold one alone."""
    statements = document["Statement"]
    return statements if isinstance(statements, list) else [statements]


def _listed(values: Any) -> list[Any]:
    return values if isinstance(values, list) else [values]


def _document(document: Mapping[str, Any] | None, context: Context) -> Any:
    if document is None:
        return None
    return document.get("Version"), tuple(_statement(each, context) for each in statements_of(document))


def _statement(statement: Mapping[str, Any], context: Context) -> Any:
    pattern = partial(_pattern, context=context)
    lists = tuple((each, _values(statement[each], pattern)) for each in LISTS if each in statement)
    principals = tuple((each, _principals(statement[each])) for each in PRINCIPALS if each in statement)
    return statement["Effect"], lists, principals, tuple(sorted(_conditions(statement, context), key=repr))


def _conditions(statement: Mapping[str, Any], context: Context) -> Iterator[Any]:
    for operator, keys in statement.get("Condition", {}).items():
        kind = _kind(operator)
        form = _digits if kind[1] in ("Numeric", "Date") else partial(_pattern, context=context)
        for key, values in keys.items():
            yield kind, _values(values, form), _present(context, key, form)


def _present(context: Context, key: str, form: Form) -> Any:
    """The values that the request has for a key; None where it has not the key."""
    values = context.get(key.lower())
    return values if values is None else _values(values, form)


def _kind(operator: str) -> tuple[str, str, bool, bool]:
    """The set operator, what is compared, whether that is negated, and whether it is asked of a key that is there."""
    over, _, compared = operator.rpartition(":")
    [kind] = [each for each in KINDS if compared.removeprefix("Not").startswith(each)]
    return over, kind, "Not" in compared, compared.endswith("IfExists")


def _values(values: Any, form: Form) -> tuple[int, tuple[str, ...]]:
    """How many: none, one or several; and every form that one of them has."""
    listed = _listed(values)
    return min(len(listed), 2), tuple(sorted({form(each) for each in listed}))


def _pattern(value: Any, context: Context) -> str:
    """Which wildcards a value holds, and which variables with what for them; that of a JSON number or boolean is its type."""
    if not isinstance(value, str) or value in ("", "*"):
        return value if isinstance(value, str) else type(value).__name__
    variables = {_variable(name, context) for name in VARIABLE.findall(value)}
    plain = VARIABLE.sub("-", value)
    wildcards = {"trailing *": plain.endswith("*"), "inner *": "*" in plain[:-1], "?": "?" in plain}
    return " ".join(sorted(variables) + [name for name, held in wildcards.items() if held]) or "exact"


def _variable(inside: str, context: Context) -> str:
    if inside in ("*", "?", "$"):
        return "escape"
    key, comma, _ = inside.partition(",")
    return f"variable{comma} {_present(context, key, partial(_pattern, context={}))}"


def _digits(value: Any) -> str:
    """How a number or a date is written: 0 for its digits and a for its letters."""
    return re.sub(r"[^\W\d_]+", "a", re.sub(r"\d+", "0", str(value)))


def _principals(principals: Any) -> Any:
    """The types of principals, and who each of them is: everybody, an account, a user, a role, a service."""
    if isinstance(principals, str):
        return principals

    def who(principal: str) -> str:
        if principal == "*" or OF_AN_ACCOUNT.fullmatch(principal):
            return "*" if principal == "*" else "account"
        return principal.split(":")[5].partition("/")[0] if principal.count(":") >= 5 else "another"

    return tuple(sorted({(kind, who(each)) for kind, named in principals.items() for each in _listed(named)}))
