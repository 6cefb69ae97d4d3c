"""Credentials that nobody uses: what that means, where they are found, what becomes of them."""
