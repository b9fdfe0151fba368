"""What an optional install brings; a plain one imports none of it."""
