"""SSH public keys: what is read of an upload, what is kept, and what sshd is told."""
