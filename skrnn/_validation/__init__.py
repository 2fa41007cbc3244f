"""What users pass, read and checked."""
