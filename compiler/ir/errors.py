"""The errors a user can meet: each says what went wrong, where, and what to do about it.

They carry their parts as attributes; the text is derived from them and printed in one place (the command line, or the
HTTP layer). Anything that is not one of these is a bug.
"""


class FreezeframeError(Exception):
    """What went wrong (`what`), on which thing or place (`where`, may be empty) and the next step (`remedy`)."""

    exit_code = 1
    http_status = 500

    def __init__(self, what: str, *, where: str = "", remedy: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.remedy = remedy

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        advice = f"; {self.remedy}" if self.remedy else ""
        return f"{place}{self.what}{advice}"


class BadInput(FreezeframeError):
    """The request itself is wrong (spec, SQL, pid, path, program): the same call will fail again. Exit code 2, HTTP 400."""

    exit_code = 2
    http_status = 400


class CannotNow(FreezeframeError):
    """A good request that could not be carried out now (permission, target gone, agent away). Exit code 1, HTTP 503."""

    exit_code = 1
    http_status = 503
