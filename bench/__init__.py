"""Every performance figure this project quotes, as a command: `python -m bench <name>`."""
