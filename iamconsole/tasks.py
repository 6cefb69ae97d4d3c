"""The pages of the console by what people want to do there: "add user to group", "create access key", "who has no MFA"."""

from dataclasses import dataclass
from typing import Any, Final

from django.urls import reverse

from accounts.operations.account import create_account_alias
from accounts.operations.groups import create_group, list_groups
from accounts.operations.user_changes import start_user_change
from accounts.operations.users import create_user, list_users
from accounts.operations.whole_users import create_user_with_access
from audit.operations.events import list_events
from credentials.operations.access_keys import create_access_key
from credentials.operations.credential_reports import get_credential_report
from credentials.operations.hardware_tokens import list_hardware_tokens
from credentials.operations.key_details import update_access_key_settings
from credentials.operations.login_profiles import change_password
from credentials.operations.mfa_requirements import get_mfa_requirement
from credentials.operations.password_policies import update_account_password_policy
from credentials.operations.server_certificates import list_server_certificates, upload_server_certificate
from credentials.operations.service_credentials import create_service_specific_credential
from credentials.operations.unused import list_unused_credentials, preview_unused_credential_run
from credentials.unused.found import Group
from iamconsole.operation import Operation
from permissions.operations.managed import create_policy, list_policies
from permissions.operations.simulator import simulate_custom_policy


@dataclass(frozen=True)
class Task:
    """A page of the console, by the words people look for it with; shown to those whose policies allow ``operation``."""

    label: str
    words: str
    route: str
    operation: Operation[Any] | None = None
    parameters: tuple[tuple[str, str], ...] = ()
    query: str = ""

    @property
    def address(self) -> str:
        """Where it is."""
        return f"{reverse(self.route)}?{self.query}" if self.query else reverse(self.route)

    def has(self, begun: list[str]) -> bool:
        """Whether each of the beginnings begins one of its words."""
        words = f"{self.label} {self.words}".lower().split()
        return bool(begun) and all(any(word.startswith(each) for word in words) for each in begun)


LIST: Final = "admin:accounts_user_changelist"
TASKS: Final = (
    Task("Dashboard", "start home overview summary security findings recommendations fix mend", "admin:index"),
    Task("Users", "list find user people", "admin:accounts_user_changelist", list_users),
    Task(
        "Create user",
        "add new person invite service account",
        "admin:accounts_user_add",
        create_user,
        (("user_name", "*"),),
    ),
    Task(
        "Add users to a group, suspend, sign out or delete several",
        "user tick bulk reactivate change require password join member put into",
        LIST,
        start_user_change,
    ),
    Task("Users without MFA", "second factor missing device no who", LIST, list_users, query="mfa=no"),
    Task("Users not active for 90 days", "unused idle old stale", LIST, list_users, query="last_activity=90"),
    Task("Access keys older than 90 days", "users age rotate stale", LIST, list_users, query="key_age=90"),
    Task("Passwords older than 90 days", "users age stale", LIST, list_users, query="password_age=90"),
    Task("Suspended users", "who is shut out locked disabled", LIST, list_users, query="status=suspended"),
    Task(
        "Import users",
        "csv file upload spreadsheet add create new onboard several",
        "admin:user-import",
        create_user_with_access,
        (("user_name", "*"),),
    ),
    Task(
        "Import from AWS",
        "users groups policies account authorization details json file migrate move upload",
        "admin:user-import-aws",
        create_user_with_access,
        (("user_name", "*"),),
    ),
    Task(
        "Administrators", "who admin users all rights permissions", LIST, list_users, query="permissions=administrator"
    ),
    Task("Export users", "csv download spreadsheet file list", "admin:user-export", list_users),
    Task("Groups", "list find group team", "admin:accounts_group_changelist", list_groups),
    Task("Create group", "add new user group team", "admin:accounts_group_add", create_group, (("group_name", "*"),)),
    Task(
        "Policies", "list find managed policy permissions", "admin:permissions_managedpolicy_changelist", list_policies
    ),
    Task(
        "Create policy",
        "write new managed customer json editor",
        "admin:permissions_managedpolicy_add",
        create_policy,
        (("policy_name", "*"),),
    ),
    Task(
        "Simulator",
        "simulate test try policy policies permission permissions why denied access",
        "admin:simulator",
        simulate_custom_policy,
    ),
    Task(
        "Credential report",
        "generate compare audit unused old keys passwords mfa csv download list of users",
        "admin:credential-report",
        get_credential_report,
    ),
    Task(
        "Unused credentials",
        "find idle old stale keys passwords mfa devices users never used deactivate delete exempt clean up",
        "admin:unused",
        list_unused_credentials,
        (("credential_group", Group.PASSWORD),),
    ),
    Task(
        "What the nightly run will do",
        "reaper reap unused credentials job tomorrow next preview dry announce deactivate delete",
        "admin:unused",
        preview_unused_credential_run,
        query="group=Deactivated",
    ),
    Task("Audit log", "trail events history activity export cloudtrail who did what", "admin:trail", list_events),
    Task("Account settings", "account id sign-in url address", "admin:account"),
    Task("Account alias", "set change delete sign-in url name", "admin:account-alias", create_account_alias),
    Task(
        "Password policy",
        "length characters expiry expire age reuse rules passwords",
        "admin:password-policy",
        update_account_password_policy,
    ),
    Task("My security credentials", "me own profile access ssh keys signing certificates password", "admin:me"),
    Task("Change password", "my own new", "admin:me-password", change_password),
    Task(
        "How long access keys live",
        "account maximum expiry expire age rotate",
        "admin:key-settings",
        update_access_key_settings,
    ),
    Task(
        "Create Git credentials or an API key",
        "my own new https password service-specific codecommit bedrock",
        "admin:me-service-create",
        create_service_specific_credential,
        (("service_name", "*"),),
    ),
    Task("Create access key", "my own new key secret cli api", "admin:me-key-create", create_access_key),
    Task(
        "Assign MFA device", "my own multi-factor authenticator app totp second factor qr code", "admin:me-mfa-assign"
    ),
    Task("MFA devices of the account", "hardware tokens import inventory", "admin:mfa-inventory", list_hardware_tokens),
    Task(
        "Require MFA",
        "force second factor everybody multi-factor enrolment",
        "admin:mfa-requirement",
        get_mfa_requirement,
    ),
    Task(
        "Server certificates",
        "list find certificate tls ssl https expiry",
        "admin:credentials_servercertificate_changelist",
        list_server_certificates,
    ),
    Task(
        "Upload server certificate",
        "add new import tls ssl https private key",
        "admin:credentials_servercertificate_add",
        upload_server_certificate,
        (("server_certificate_name", "*"),),
    ),
    Task("Help", "how to aws cli boto3 terraform endpoint", "help"),
)
