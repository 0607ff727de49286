"""What pages and API both need: questions and changes, in plain values; no HTML, no HTTP."""


class AbsentError(LookupError):
    """There is no such thing, or it is somebody else's: nobody is told which."""


class BusyError(Exception):
    """Too many ask at once; whoever waits `wait_s` seconds and asks again may have an answer."""

    def __init__(self, wait_s: int) -> None:
        super().__init__(wait_s)
        self.wait_s = wait_s
