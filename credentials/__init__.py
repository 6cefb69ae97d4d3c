"""What proves who you are: passwords, access keys; sealing."""
