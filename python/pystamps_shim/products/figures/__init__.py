"""Figures of a dataset, by what they show; `kinds` has them by name."""
