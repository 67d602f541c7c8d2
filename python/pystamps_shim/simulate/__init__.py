"""Seeded synthetic scenes with full truth.

A scene is a town-and-country landscape seen by a C-band radar: persistent scatterers in
towns, along roads and scattered, speckle elsewhere, and a phase that is the sum of known
terms. `export` writes it as a raw SNAP-style export, `dataset` as prepared patch folders.
Importing this package loads no numerics.
"""
