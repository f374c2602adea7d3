"""TF1's `Server`, of which one thing is left: sessions of one target share what has a `shared_name`."""

from __future__ import annotations

from itertools import count
from typing import final

__all__ = ["Server"]

NUMBERS = count()


@final
class Server:
    """Something that sessions of one process can have in common: `tf.Session(server.target)`.

    Source: TF1 `tf.train.Server.create_local_server`; there are no servers of other processes.
    """

    def __init__(self) -> None:
        self.target = f"local {next(NUMBERS)}"
        """What sessions are given."""

    @staticmethod
    def create_local_server(config: object = None, start: bool = True) -> Server:
        """One that no other session knows yet."""
        return Server()
