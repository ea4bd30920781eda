"""The records as vendors sent them, to look at."""
