"""The pages of accounts and users."""
