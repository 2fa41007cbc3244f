"""Parallel work: BLAS held at one thread, and a batch's sequences on the cores instead."""
