"""Printed documents: A4 papers and the till receipt, each made from the JSON of one database function.

Every `render_<document>(document, settings=None, logo=None)` returns a PDF file; `kinds` lists them.
"""
