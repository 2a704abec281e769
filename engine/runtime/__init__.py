"""Starts the parts of a running system as children that die with it. An outer shell: nothing imports it but the CLI."""
