"""The exceptions of this package: they are the exit statuses of the program."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._report import Report


class Error(Exception):
    """Base of all exceptions of this package. ``hint`` says what to do, or is empty."""

    hint: str = ""

    def __init__(self, message: str = "", hint: str = "") -> None:
        super().__init__(message, hint)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\nhint: {self.hint}" if self.hint else self.message


class NotVerified(Error):
    """Exit status 1: the answer is no. ``report`` says which check failed."""

    def __init__(self, report: Report) -> None:
        Exception.__init__(self, report)
        self.report = report
        self.message = f"{report.bundle}: not verified: {report.reason}"
        self.hint = next((c.hint for c in report.failed if c.hint), "")


class InputError(Error, ValueError):
    """Exit status 2: wrong usage or malformed input, or a file that is not there."""


class DeclarationError(InputError):
    """What is to be signed is not a valid declaration, or not JSON that keeps its meaning."""


class OperationalError(Error):
    """Exit status 3: an operation failed (a file, the network, a KMS), or the program itself did."""


class ProgramTimeout(OperationalError, TimeoutError):
    """The program did not answer in time, and was ended."""


class SignTimeout(ProgramTimeout):
    """A signature was not there in time. Whether a service has signed is not known."""


def failure(status: int, message: str, hint: str = "", *, declaration: bool = False) -> Error:
    """Return the exception for an exit status."""
    if status == 2:
        return (DeclarationError if declaration else InputError)(message, hint)
    if status == 1:
        from ._report import Report

        return NotVerified(Report({"bundle": "the new bundle", "verified": False, "checks": [], "error": message}))
    return OperationalError(message, hint)
