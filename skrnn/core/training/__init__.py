"""Training: the loop, what it watches, and what makes the steps."""
