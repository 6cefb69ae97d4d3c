"""What happened: the append-only trail."""
