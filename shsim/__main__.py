"""`shsim`, and `python -m shsim`: from here on a signal ends in one line, not in a traceback."""

from shsim.cli.early import heed_early


def main() -> None:
    """Run the command line; the process ends here."""
    heed_early()
    from shsim.cli.app import main as run

    run()


if __name__ == "__main__":
    main()
