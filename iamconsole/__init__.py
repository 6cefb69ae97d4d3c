"""The installation: settings, addresses, the kernel every app stands on."""
