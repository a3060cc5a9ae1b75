"""Verification: of one bundle, which raises, and of many, which reports."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ._errors import DeclarationError, InputError, NotVerified, OperationalError
from ._json import encode
from ._process import Conversation, check_arguments
from ._report import Report, Verified

Path = str | os.PathLike[str]
Bundle = Path | bytes | dict[str, Any]


def verify(
    bundle: Bundle,
    *,
    key: Path | Sequence[Path] | None = None,
    policy: Path | None = None,
    certificate_identity: str | None = None,
    certificate_oidc_issuer: str | None = None,
    trusted_root: Path | None = None,
    identity: str | None = None,
    declaration: Path | None = None,
    options: Sequence[str] = (),
    timeout: float = 60.0,
) -> Verified:
    """Verify the bundle of one run: a path (str or PathLike), its JSON text as bytes, or a dict.

    At least one of key, policy and certificate_identity says who is trusted. identity and declaration (a file, which a
    detached bundle needs) say which run is expected. options are further flags of ``runattest verify``.

    Raises:
        NotVerified: the answer is no, and its report says why.
        InputError: the bundle is malformed or not there, or is not that of one run, or nothing says who is trusted.
        OperationalError: the bundle cannot be read, or a service gives no answer. The bundle is then not verified.
    """
    arguments = _arguments(key, policy, certificate_identity, certificate_oidc_issuer, trusted_root, options)
    if identity is not None:
        arguments.append(f"--identity={identity}")
    if declaration is not None:
        arguments.append(f"--declaration={os.fsdecode(declaration)}")
    with _Verifier(arguments, timeout) as verifier:
        reports, status = verifier.ask(_request(bundle))
    if len(reports) != 1:
        raise InputError(f"{_name(bundle)}: holds {len(reports)} bundles, want one", "runattest.check reports each")
    report = _named(reports[0], bundle)
    if status == 1:
        raise NotVerified(report)
    if status == 2:
        raise InputError(report.error)
    if status != 0:
        raise OperationalError(report.error)
    if report.identity is None:
        raise InputError(f"{_name(bundle)}: is a run set, want the bundle of one run", "runattest.check reports a set")
    return Verified(report.data)


def check(
    bundles: Iterable[Bundle],
    *,
    key: Path | Sequence[Path] | None = None,
    policy: Path | None = None,
    certificate_identity: str | None = None,
    certificate_oidc_issuer: str | None = None,
    trusted_root: Path | None = None,
    options: Sequence[str] = (),
    timeout: float = 60.0,
) -> Iterator[Report]:
    """Verify many bundles with one process, and yield a report for each: a no is a report, not an exception.

    A file of JSON Lines has a report for each line. The trust and options are those of ``verify``; timeout is for one
    item. Nothing is verified before the first report is asked for.

    Raises:
        InputError: nothing says who is trusted, or the trust cannot be read.
        OperationalError: the program failed. What was not yet reported is not verified.
        TypeError: bundles is one bundle, or an item is not a path, bytes or dict.
    """
    if isinstance(bundles, (str, bytes, dict, os.PathLike)):
        raise TypeError("check wants several bundles: put one into a list")
    arguments = _arguments(key, policy, certificate_identity, certificate_oidc_issuer, trusted_root, options)
    return _check(bundles, arguments, timeout)


def _check(bundles: Iterable[Bundle], arguments: list[str], timeout: float) -> Iterator[Report]:
    with _Verifier(arguments, timeout) as verifier:
        for n, bundle in enumerate(bundles, 1):
            try:
                request = _request(bundle)
            except InputError as e:
                yield _malformed(_name(bundle, n), e.message)
                continue
            for report in verifier.ask(request)[0]:
                yield _named(report, bundle, n)


class _Verifier:
    """A process that verifies line by line."""

    def __init__(self, arguments: list[str], timeout: float) -> None:
        self._conversation = Conversation(arguments, timeout)
        self._worst = 0

    def __enter__(self) -> _Verifier:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self._conversation.finish(self._worst)
        finally:
            self._conversation.end()

    def ask(self, request: bytes) -> tuple[list[Report], int]:
        """Return the reports of one request, with the exit status that they have together."""
        reports: list[Report] = []
        answer = self._conversation.ask(request)
        while "status" not in answer:
            try:
                reports.append(Report(answer))
            except (KeyError, TypeError, AttributeError):
                raise OperationalError(f"the program answered what is not a report: {answer!r:.200}") from None
            answer = self._conversation.more()
        self._conversation.alone(answer)
        status = answer["status"]
        if type(status) is not int or not 0 <= status <= 3 or not reports or (status == 0) != all(reports):
            raise OperationalError(f"the program contradicts itself: status {status!r} for {reports!r:.200}")
        self._worst = max(self._worst, status)
        return reports, status


def _arguments(
    key: Path | Sequence[Path] | None, policy: Path | None, identity: str | None, issuer: str | None,
    root: Path | None, options: Sequence[str],
) -> list[str]:
    keys: Sequence[Path] = [] if key is None else [key] if isinstance(key, (str, bytes, os.PathLike)) else key
    flags: list[tuple[str, Path | None]] = [("key", k) for k in keys]
    flags += [("policy", policy), ("certificate-identity", identity), ("certificate-oidc-issuer", issuer), ("trusted-root", root)]
    given = [f"--{name}={os.fsdecode(value)}" for name, value in flags if value is not None]
    return ["verify", "--format=json", "--jsonl", "-", *check_arguments([*given, *check_arguments(options)])]


def _request(bundle: Bundle) -> bytes:
    """Return the line that asks about a bundle: the bundle, or the name of its file as a JSON string."""
    if isinstance(bundle, (dict, bytes)):
        try:
            return encode(bundle)  # an object: a JSON string would name a file
        except DeclarationError as e:
            raise InputError(f"the bundle {e.message}") from None
    if not isinstance(bundle, (str, os.PathLike)):
        raise TypeError(f"a bundle is a path, bytes or a dict, not {type(bundle).__name__}")
    path = os.fspath(bundle)
    if not isinstance(path, str):
        raise TypeError("a path is str, not bytes")
    if path.startswith(("oci://", "oci-layout://")) or os.path.isdir(path):  # also of a journal
        raise InputError(f"{path}: is not a file of bundles, want the path of one", f"runattest verify {path}")
    if path.lstrip().startswith("{"):
        raise InputError("the path looks like the bundle itself", "give the text of a bundle as bytes: text.encode()")
    import json

    try:
        return json.dumps("./-" if path == "-" else path, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise InputError(f"{path!r}: the name of the file is not UTF-8") from None


def _name(bundle: Bundle, n: int = 1) -> str:
    return os.fspath(bundle) if isinstance(bundle, (str, os.PathLike)) else f"bundle {n}"


def _named(report: Report, bundle: Bundle, n: int = 1) -> Report:
    if isinstance(bundle, (bytes, dict)):  # which the program calls a line of its input
        return Report({**report.data, "bundle": _name(bundle, n)})
    return report


def _malformed(name: str, error: str) -> Report:
    return Report({"bundle": name, "verified": False, "checks": [], "error": error, "errorCode": "malformed"})
