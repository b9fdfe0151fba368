"""What a result looks like to a person or a program; no file and no database here."""
