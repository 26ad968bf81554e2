"""The command line, signed in, against a running stack."""
