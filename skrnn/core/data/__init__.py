"""Data: sequences, and how they become batches."""
