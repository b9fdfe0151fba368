"""Where pools come from and k goes to: databases behind one protocol, and files."""
