"""Writing sequences: filters of what may come next, sampling, beams."""
