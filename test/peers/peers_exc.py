"""Exceptions that the peers know by name (allowed_remote_exmods)."""


class PeerError(Exception):
    def __init__(self, message=None, code=0):
        self.code = code
        super().__init__(message)
