"""What each command does once its options are read; NumPy and the databases load here."""
