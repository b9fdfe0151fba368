"""`python -m shsim`."""

from shsim.cli.app import main

main()
