"""What a run has to say, as text, JSON, JSON lines and CSV, and the exit code that goes with it."""
