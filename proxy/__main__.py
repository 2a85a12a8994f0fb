"""``python -m proxy`` is ``sapwood``."""

import sys

from proxy.cli import main

sys.exit(main())
