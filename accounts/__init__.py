"""Who exists: accounts and users; sign-in, sessions, the caller."""
