"""What a verification found."""

from __future__ import annotations

from typing import Any

from ._show import Shown


class Check(Shown):
    """One check of a report: ``verdict`` is "pass", "fail" or "not-checked"; ``code`` is the reason in a word."""

    def __init__(self, data: dict[str, Any]) -> None:
        self.name: str = data["name"]
        self.verdict: str = data["verdict"]
        self.reason: str = data["reason"]
        self.code: str = data.get("code", "")
        self.hint: str = data.get("hint", "")
        self.details: list[str] = data.get("details", [])

    def _rows(self) -> list[tuple[str, str]]:
        return [(self.name, f"{self.verdict}: {self.reason}")]


class Report(Shown):
    """The answer about one bundle, or about a run set. It is true in a condition only if it is verified.

    ``data`` is the object that the program printed; docs/output.md lists its members. What the bundle says is None or
    empty unless it is verified.
    """

    def __init__(self, data: dict[str, Any]) -> None:
        self.data = data
        self.bundle: str = data["bundle"]
        self.verified: bool = data["verified"] is True
        self.checks: list[Check] = [Check(c) for c in data["checks"]]
        self.error: str = data.get("error", "")
        self.error_code: str = data.get("errorCode", "")
        said: dict[str, Any] = data if self.verified else {}
        self.identity: str | None = said.get("identity")
        self.kind: str | None = said.get("kind")
        self.signer: dict[str, Any] | None = said.get("signer")
        self.times: list[dict[str, Any]] = said.get("times", [])
        self.subjects: list[dict[str, Any]] = said.get("subjects", [])
        self.annotations: dict[str, str] = said.get("annotations", {})
        self.model: dict[str, str] | None = said.get("model")

    def __bool__(self) -> bool:
        return self.verified

    @property
    def failed(self) -> list[Check]:
        """The checks that failed."""
        return [c for c in self.checks if c.verdict == "fail"]

    @property
    def reason(self) -> str:
        """Why it is not verified, in a line; empty if it is."""
        if self.verified:
            return ""
        failed = [": ".join([c.name, c.reason, *c.details]) for c in self.failed]
        return self.error or "; ".join(failed) or "no reason was given"

    def row(self) -> dict[str, Any]:
        """The report as a flat row of a table: ``pandas.DataFrame([r.row() for r in reports])``."""
        signer, model = self.signer or {}, self.model or {}
        return {
            "bundle": self.bundle, "verified": self.verified, "reason": self.reason, "identity": self.identity,
            "kind": self.kind, "model": model.get("name"), "signer": signer.get("name"),
            "issuer": signer.get("issuer"), "time": self.data.get("signedBefore"),
        }

    def _rows(self) -> list[tuple[str, str]]:
        rows = [("bundle", self.bundle), ("verified", "yes" if self.verified else "NO")]
        if self.verified:
            signer, model = self.signer or {}, self.model or {}
            rows += [("run", self.identity or ""), ("signed by", str(signer.get("name", ""))), ("model", str(model.get("name", "")))]
            rows += [("annotation", f"{name}={value}") for name, value in self.annotations.items()]
        if self.error:
            rows.append(("error", self.error))
        return rows + [row for c in self.checks for row in c._rows()]


class Verified(Report):
    """The report of one run's bundle that is verified. Only ``verify`` returns one."""

    identity: str

    def __init__(self, data: dict[str, Any]) -> None:
        super().__init__(data)
        if not (self.verified and isinstance(self.identity, str)):
            raise ValueError("this report is not that of a verified run")
