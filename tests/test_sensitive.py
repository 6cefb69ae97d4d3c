"""Which changes ask again who it is when nothing was proved for fifteen minutes, and why the others do not.

The table has every operation that changes something: a new one without an entry fails.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from accounts.caller import SUDO_WINDOW
from accounts.nonces import new_nonce
from iamconsole.errors import Fault, SudoRequired
from iamconsole.operation import Operation, every_operation
from tests.conftest import ALLOW_ALL, Person, caller_for, make_account, make_user
from tests.everything import Values, furnish, names_of, parameters
from tests.rows import rows_of

pytestmark = pytest.mark.pure

ASKS = {
    "iam:AddUserToGroup": "gives permissions",
    "iam:AttachGroupPolicy": "gives permissions",
    "iam:AttachUserPolicy": "gives permissions",
    "iam:CreateAccessKey": "makes a credential",
    "iam:CreateLoginProfile": "makes a credential",
    "iam:CreatePolicy": "writes a policy",
    "iam:CreateServiceSpecificCredential": "makes a credential",
    "iam:DeleteServiceSpecificCredential": "takes a credential away",
    "iam:ResetServiceSpecificCredential": "makes a credential",
    "iam:UpdateServiceSpecificCredential": "switches a credential on or off",
    "iamconsole:CreateAccessKeyWithDetails": "makes a credential",
    "iamconsole:UpdateAccessKeyDetails": "lets a credential live longer",
    "iamconsole:UpdateAccessKeySettings": "lets credentials live longer",
    "iam:CreatePolicyVersion": "writes a policy",
    "iam:CreateVirtualMFADevice": "shows a secret",
    "iam:DeactivateMFADevice": "takes a second factor away",
    "iam:DeleteAccessKey": "takes a credential away",
    "iam:DeleteAccountPasswordPolicy": "changes what passwords must be",
    "iam:DeleteGroup": "changes permissions",
    "iam:DeleteGroupPolicy": "changes permissions, a Deny may go",
    "iam:DeleteLoginProfile": "takes a credential away",
    "iam:DeletePolicy": "changes permissions",
    "iam:DeletePolicyVersion": "takes the way back away",
    "iam:DeleteUser": "cannot be undone",
    "iam:DeleteUserPermissionsBoundary": "gives permissions",
    "iam:DeleteUserPolicy": "changes permissions, a Deny may go",
    "iam:DeleteVirtualMFADevice": "takes a second factor away",
    "iam:DetachGroupPolicy": "changes permissions, a Deny may go",
    "iam:DetachUserPolicy": "changes permissions, a Deny may go",
    "iam:EnableMFADevice": "adds a second factor",
    "iam:PutGroupPolicy": "writes a policy",
    "iam:PutUserPermissionsBoundary": "changes permissions",
    "iam:PutUserPolicy": "writes a policy",
    "iam:RemoveUserFromGroup": "changes permissions, a Deny may go",
    "iam:ResyncMFADevice": "changes a second factor",
    "iam:SetDefaultPolicyVersion": "changes permissions",
    "iam:TagMFADevice": "policies decide by tags",
    "iam:TagPolicy": "policies decide by tags",
    "iam:TagServerCertificate": "policies decide by tags",
    "iam:UntagServerCertificate": "policies decide by tags",
    "iam:TagUser": "policies decide by tags",
    "iam:UntagMFADevice": "policies decide by tags",
    "iam:UntagPolicy": "policies decide by tags",
    "iam:UntagUser": "policies decide by tags",
    "iam:UpdateAccessKey": "switches a credential on or off",
    "iam:UpdateAccountPasswordPolicy": "changes what passwords must be",
    "iam:UpdateGroup": "policies decide by names and paths",
    "iam:UpdateLoginProfile": "sets a password",
    "iam:UpdateUser": "policies decide by names and paths",
    "iamconsole:AddUserPermissions": "gives permissions",
    "iamconsole:BeginPasskeyRegistration": "begins to add a second factor",
    "iamconsole:BeginSMSRegistration": "begins to add a second factor: asked before a message is sent",
    "iamconsole:CreateRecoveryCodes": "makes credentials",
    "iamconsole:CreateServiceToken": "makes a credential",
    "iamconsole:CreateGroupWithPolicies": "gives permissions",
    "iamconsole:CreatePolicyWithVersions": "what is attached decides",
    "iamconsole:CreateSetupLink": "gives access to the console",
    "iamconsole:CreateUserWithAccess": "makes credentials and gives permissions",
    "iamconsole:DeleteGroupWithMembers": "changes permissions",
    "iamconsole:DeleteMFARequirement": "changes what sign-in demands",
    "iamconsole:DeleteHardwareToken": "takes a second factor away",
    "iamconsole:DeleteServiceToken": "takes a credential away",
    "iam:DeleteServerCertificate": "takes a private key away",
    "iam:DeleteSSHPublicKey": "takes a credential away",
    "iam:DeleteSigningCertificate": "takes a credential away",
    "iam:UpdateServerCertificate": "changes an ARN that policies name",
    "iam:UpdateSSHPublicKey": "switches a credential on or off",
    "iam:UpdateSigningCertificate": "switches a credential on or off",
    "iam:UploadServerCertificate": "takes a private key in",
    "iam:UploadSSHPublicKey": "gives a credential",
    "iam:UploadSigningCertificate": "gives a credential",
    "iamconsole:DeactivateCredential": "takes a credential away",
    "iamconsole:DeleteCredential": "takes a credential away",
    "iamconsole:ReapCredential": "takes a credential away",
    "iamconsole:RestoreCredential": "gives a credential back",
    "iamconsole:DeleteUserEndDate": "lets a user in for longer",
    "iamconsole:DeleteUserWithCredentials": "cannot be undone",
    "iamconsole:EnableRootMFADevice": "adds a second factor",
    "iamconsole:EndAllSessions": "ends sessions (ASVS 7.5.2)",
    "iamconsole:EndOtherSessions": "ends sessions (ASVS 7.5.2)",
    "iamconsole:EndOwnSession": "ends sessions (ASVS 7.5.2)",
    "iamconsole:EndSession": "ends sessions (ASVS 7.5.2)",
    "iamconsole:FinishPasskeyRegistration": "adds a second factor",
    "iamconsole:FinishSMSRegistration": "adds a second factor",
    "iamconsole:GeneratePassword": "sets a password",
    "iamconsole:ImportHardwareTokens": "brings in what becomes second factors",
    "iamconsole:LockDownUser": "keeps a user out",
    "iamconsole:PutUserEndDate": "keeps a user out",
    "iamconsole:ReactivateUser": "lets a user in",
    "iamconsole:ResetSignInThrottle": "gives whoever guesses more tries",
    "iamconsole:ResyncRootMFADevice": "changes a second factor",
    "iamconsole:SetUserTags": "policies decide by tags",
    "iamconsole:StartUserChange": "every row of it would ask",
    "iamconsole:SuspendUser": "keeps a user out",
    "iamconsole:UndoLockDown": "lets a user in and switches keys on",
    "iamconsole:UpdateMFARequirement": "changes what sign-in demands",
    "sts:GetSessionToken": "makes a credential",
}
DOES_NOT_ASK = {
    "iamconsole:ExportEvents": "changes nothing; the same can be read page by page",
    "iam:ChangePassword": "takes the current password itself",
    "iam:CreateAccountAlias": "another name on the sign-in page, which anybody may know",
    "iam:CreateGroup": "empty, without permissions",
    "iam:CreateUser": "without credentials and permissions",
    "iam:GenerateCredentialReport": "writes down what there is",
    "iam:GenerateServiceLastAccessedDetails": "writes down what there is",
    "iamconsole:RefreshCredentialReport": "writes down what there is",
    "iam:DeleteAccountAlias": "the account's number goes on working",
    "iamconsole:UpdateUserListSettings": "how one's own list of users looks",
    "iamconsole:PutUserListView": "filters of one's own list, by a name",
    "iamconsole:DeleteUserListView": "filters of one's own list, by a name",
    "iamconsole:UpdateRootUserEmail": "takes the current password itself",
    "iamconsole:UpdateRootUserPassword": "takes the current password itself",
}
# The console has no way to these: whoever has the shell has the database.
BY_OPERATOR = {
    "iamconsole:ExportServerCertificate",
    "iamconsole:CloseAccount",
    "iamconsole:CreateAccount",
    "iamconsole:IssueRootSetupLink",
    "iamconsole:PruneJobs",
    "iamconsole:PruneTrail",
    "iamconsole:RecoverRootUser",
    "iamconsole:ReportBrokenTrail",
    "iamconsole:UpdateAccountQuota",
}
# Half-way in, right after the password: nobody else is let in here.
AT_SIGN_IN = {"iamconsole:CreateRequiredMFADevice", "iamconsole:EnableRequiredMFADevice"}
WRITES = [each for each in every_operation() if not (each.reads or each.by_operator or each.at_sign_in)]


@pytest.mark.asvs("7.5.1")
@pytest.mark.asvs("7.5.3")
def test_every_operation_asks_again_or_has_a_reason_not_to() -> None:
    assert {each.action for each in WRITES if each.sensitive} == ASKS.keys()
    assert {each.action for each in WRITES if not each.sensitive} == DOES_NOT_ASK.keys()
    assert {each.action for each in every_operation() if each.by_operator} == BY_OPERATOR
    assert {each.action for each in every_operation() if each.at_sign_in} == AT_SIGN_IN


def test_what_only_reads_shows_no_secret_and_so_asks_nothing() -> None:
    assert [each.action for each in every_operation() if each.reads and (each.issues_secret or each.sensitive)] == []


def _stage() -> tuple[Person, Person, Values]:
    """A furnished account: its root user, an administrator, and what exists there."""
    root = make_account()
    return root, make_user(root, "alice", ALLOW_ALL), furnish(root)


@pytest.fixture(scope="module")
def unchanged() -> tuple[Person, Person, Values]:
    """The stage of all that is asked again, which changes nothing."""
    return _stage()


@pytest.mark.asvs("7.5.1")
@pytest.mark.asvs("7.5.3")
@pytest.mark.parametrize("operation", WRITES, ids=names_of(WRITES))
def test_who_proved_nothing_for_a_quarter_of_an_hour_is_asked_and_nothing_is_done(
    unchanged: tuple[Person, Person, Values], operation: Operation[Any]
) -> None:
    root, alice, values = unchanged if operation.sensitive else _stage()
    late = caller_for(alice.user, "console")
    long_ago = datetime.now(UTC) - SUDO_WINDOW - timedelta(seconds=1)
    late = replace(late, sudo_time=long_ago, mfa_time=long_ago, nonce=new_nonce(late.user))
    before = rows_of(root.account_id)
    try:
        operation(late, **parameters(operation, values))
    except SudoRequired:
        assert operation.sensitive
        assert rows_of(root.account_id) == before
    except Fault:
        assert not operation.sensitive
    else:
        assert not operation.sensitive
