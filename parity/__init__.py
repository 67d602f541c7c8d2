"""Certification of pystamps against original StaMPS.

Nothing here shares a codec with the code under test: MATLAB files are read by scipy and h5py.
"""
