"""The front door: parse, call one workflow function, render what it returns."""
