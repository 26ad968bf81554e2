"""`python -m local`: the launcher's commands, once ./dev has prepared the environment."""

import os

from local.cli import main

# ./dev sets it so that this package is found; our children start in the checkout and must not inherit it.
os.environ.pop("PYTHONPATH", None)
main()
