"""Every state that the pages are shown in, by noun."""

from tests.page_states import (
    account,
    certificates,
    groups,
    me,
    mfa,
    policies,
    signing_in,
    simulator,
    trail,
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
    *simulator.STATES,
    *policies.STATES,
    *certificates.STATES,
    *trail.STATES,
]
