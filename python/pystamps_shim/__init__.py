"""Python side of pystamps: reference stages, simulator, orchestration.

Importing the package loads nothing else, so that the command line answers at once.
The production path computes in `pystamps-native`; this package steers and checks it.
"""
