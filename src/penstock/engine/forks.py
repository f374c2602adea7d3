"""Whether this process was forked from another since something was made, told without asking the system each time."""

from __future__ import annotations

import os

__all__ = ["forks"]


class _Forks:
    """How many forks lie between this process and the one that loaded this module."""

    count = 0

    def forked(self) -> None:
        """Counts one; called in the child."""
        self.count += 1


forks = _Forks()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=forks.forked)
