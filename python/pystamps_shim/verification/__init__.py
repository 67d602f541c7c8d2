"""Datasets compared with a reference: contracts, comparators, reports."""
