"""Running the stages: subprocesses of the native program, and the Python reference."""
