"""The named kernels of the stages: a NumPy transcription of every formula, and its native twin.

Nothing here reads or writes files.
"""
