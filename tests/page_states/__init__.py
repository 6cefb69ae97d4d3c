"""Every state that the pages are shown in, by noun."""

from tests.page_states import (
    account,
    certificates,
    groups,
    keys,
    me,
    mfa,
    policies,
    reports,
    signing_in,
    simulator,
    ssh_keys,
    trail,
    unused,
    user_credentials,
    users,
)

STATES = [
    *signing_in.STATES,
    *account.STATES,
    *me.STATES,
    *mfa.STATES,
    *users.STATES,
    *groups.STATES,
    *user_credentials.STATES,
    *keys.STATES,
    *simulator.STATES,
    *policies.STATES,
    *reports.STATES,
    *certificates.STATES,
    *ssh_keys.STATES,
    *trail.STATES,
    *unused.STATES,
]
