"""`python -m plaudit` is `plaudit`."""

import sys

from plaudit.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
