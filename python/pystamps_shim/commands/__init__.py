"""The subcommands of ``python -m pystamps_shim``: one module each.

A module offers ``add_parser`` (cheap: it runs for every ``--help``) and ``run``, which
imports what it needs.
"""
