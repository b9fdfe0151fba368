"""The order of events: what happens in a run, and in which order."""
