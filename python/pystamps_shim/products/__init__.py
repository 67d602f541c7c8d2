"""What is made of a finished dataset: tables, figures, and a comparison with the truth."""
