"""The people of the stories sign up and sign in as everybody does."""

from tests.api.conftest import people

__all__ = ["people"]
