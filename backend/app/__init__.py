"""The thin API: what a database should not do itself."""

VERSION = "0.1.0"
