"""A signed identity for an AI run, before it executes.

    with runattest.Signer("runattest.key") as signer:
        signed = signer.sign({"schema": ..., "kind": "inference", ...})
    verified = runattest.verify(signed.bundle, key="runattest.pub")

The package is a thin layer over the program ``runattest`` that is installed with it: the program signs and verifies.
Exceptions are its exit statuses: NotVerified (1), InputError (2), OperationalError (3). docs/python.md is its manual.
"""

from ._declare import identity, load
from ._errors import (
    DeclarationError,
    Error,
    InputError,
    NotVerified,
    OperationalError,
    ProgramTimeout,
    SignTimeout,
)
from ._gateway import Gateway, gateway
from ._program import ProgramNotFound, program
from ._report import Check, Report, Verified
from ._signer import Signed, Signer, sign
from ._verify import check, verify

__all__ = [
    "Check",
    "DeclarationError",
    "Error",
    "Gateway",
    "InputError",
    "NotVerified",
    "OperationalError",
    "ProgramNotFound",
    "ProgramTimeout",
    "Report",
    "SignTimeout",
    "Signed",
    "Signer",
    "Verified",
    "check",
    "gateway",
    "identity",
    "load",
    "program",
    "sign",
    "verify",
]
