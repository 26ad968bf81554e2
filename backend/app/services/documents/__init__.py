"""Printed documents of a business, made from the JSON that the database answers."""
