"""`ringward demo`: a real call on a real system, told as it happens and judged. The bench uses the same parts."""
