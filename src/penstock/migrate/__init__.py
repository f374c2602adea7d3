"""`penstock migrate SCRIPT.py`: an old script's input side moved to `penstock.tf1`, and a list of what is left to do.

Guarantees
  A file is written only where that was asked for, and one that exists is written over only with `in_place`.
  Nothing but names and imports is changed; all else of the text stays as it is, to the last space.

Source: the script is read and written by libcst, which keeps its comments and layout.
"""

from penstock.migrate.command import run
from penstock.migrate.rewriting import Migrated, migrated

__all__ = ["Migrated", "migrated", "run"]
