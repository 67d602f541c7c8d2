"""Certification: every stage run from the original's files before it, and what that proves.

``python -m parity certify``. The way of one case: `cases` says what is run, `datasets` lays out the
original's files before the stage and runs the native program on them, `case_record` compares what
it wrote with what the original wrote, `evidence` says what of that proves anything, `relations`
looks at what no pair of variables can show, `mutations` spoils our results and expects to be
noticed, `certificate` keeps it all.
"""
