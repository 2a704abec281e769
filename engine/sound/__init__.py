"""Sound as numbers: WAV files in and out, and another rate. Pure; the voices and the APIs use it."""
