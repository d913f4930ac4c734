"""A plan on disk: written by `--plan-out`, honoured or refused by `--apply-plan` (spec: ingest I20).

The file is for people and scripts to read, and it carries the request and the plan's digest. To apply it
is to ask the same again: only when that leads to the very same plan is it executed.
"""

from __future__ import annotations

import base64
import binascii
import os
import secrets
from contextlib import suppress
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Final

import msgspec

from kassettui.core.errors import InvalidInput, NotFound, StalePlan
from kassettui.core.text import as_json, path_b64, safe
from kassettui.ingest.report import SCHEMA_VERSION, iso_utc

if TYPE_CHECKING:
    from kassettui.ingest.plan import Plan
    from kassettui.ingest.request import ImportRequest

_TYPE: Final = "import_plan"
_NOT_STORED: Final = frozenset({"path", "dry_run", "plan_out", "apply_plan"})


class StoredRequest(msgspec.Struct, frozen=True, kw_only=True):
    """The part of an ImportRequest that leads to the plan; the path also as base64 where it is no UTF-8."""

    path: str | None = None
    path_b64: str | None = None
    collection: str | None = None
    name: str | None = None
    layout: str | None = None
    ignore: tuple[str, ...] = ()
    scope: dict[str, str] = {}
    into: str | None = None
    enrich: bool = True
    hash_content: bool = False
    accept_missing: bool = False
    accept_device: bool = False
    all_files: bool = False
    follow_symlinks: bool = False


class StoredPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What applying a stored plan needs of it."""

    schema_version: int
    type: str
    digest: str
    request: StoredRequest

    def refuse_unless(self, digest: str) -> None:
        """Raise StalePlan unless the same request leads to the plan with `digest` now."""
        if digest != self.digest:
            raise StalePlan(
                "The plan is stale: the files, the library or the options are not what it assumed.",
                remedy="Make a new one with --plan-out. Nothing was written.",
            )


def write_plan(path: str, plan: Plan, request: ImportRequest, made_ns: int) -> None:
    """Write the plan as JSON, whole or not at all. Raises InvalidInput when the file cannot be written."""
    temporary = f"{path}.{secrets.token_hex(4)}.tmp"
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(descriptor, "wb", buffering=1 << 16) as file:
                head = msgspec.json.encode(_head(plan, request, made_ns))
                file.write(head[:-1] + b',"decisions":[')
                separator = b"\n"
                for entry in plan.as_json():
                    file.write(separator + msgspec.json.encode(entry))
                    separator = b",\n"
                file.write(b"\n]}\n")
                file.flush()
                os.fsync(file.fileno())
            os.rename(temporary, path)
        except BaseException:
            with suppress(OSError):
                os.unlink(temporary)
            raise
        _sync_directory(os.path.dirname(os.path.abspath(path)))
    except OSError as error:
        raise InvalidInput(f"The plan cannot be written to {safe(path)}: {error.strerror}.") from error


def read_plan(path: str) -> StoredPlan:
    """The stored plan. Raises NotFound, InvalidInput."""
    try:
        with open(path, "rb") as file:
            stored = msgspec.json.decode(file.read(), type=StoredPlan)
    except FileNotFoundError as error:
        raise NotFound(f"There is no plan {safe(path)}.") from error
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{safe(path)} is no plan of an import: {safe(str(error))}") from error
    if stored.type != _TYPE or stored.schema_version != SCHEMA_VERSION:
        raise InvalidInput(f"{safe(path)} is no plan that this kassettui can apply.")
    return stored


def request_of(stored: StoredPlan, now: ImportRequest) -> ImportRequest:
    """The request that made the stored plan, to be executed as `now` says. Raises InvalidInput."""
    kept = stored.request
    values = {field.name: getattr(kept, field.name) for field in fields(now) if field.name not in _NOT_STORED}
    path = kept.path
    if kept.path_b64 is not None:
        try:
            path = os.fsdecode(base64.b64decode(kept.path_b64, validate=True))
        except binascii.Error as error:
            raise InvalidInput("The plan's path is not valid base64.") from error
    return replace(now, path=path, **values)


def _head(plan: Plan, request: ImportRequest, made_ns: int) -> dict[str, object]:
    stored = {
        field.name: getattr(request, field.name) for field in fields(request) if field.name not in _NOT_STORED
    }
    stored["scope"] = dict(request.scope)
    if request.path is not None:
        path = os.path.abspath(request.path)
        stored |= {"path": as_json(path), "path_b64": path_b64(path)}
    return {
        "schema_version": SCHEMA_VERSION,
        "type": _TYPE,
        "digest": plan.digest(),
        "made_at": iso_utc(made_ns),
        "request": stored,
        "assumed": plan.assumed(),
        "scope": plan.scope.as_json(),
        "stats": plan.stats.as_json(),
        "reasons": {str(reason): count for reason, count in plan.reasons.items()},
    }


def _sync_directory(directory: str) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
