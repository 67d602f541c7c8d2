"""The whole chain on large scenes, against its limits: ``make bench-scale``."""
