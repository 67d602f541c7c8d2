"""Readable numpy transcriptions of the StaMPS stages: the referees of the native code.

They follow the specification line by line and are slow on purpose; the production path
never imports them.
"""
