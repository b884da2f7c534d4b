"""`python -m logloss` is the command line."""

from logloss.cli import main

if __name__ == "__main__":
    main()
