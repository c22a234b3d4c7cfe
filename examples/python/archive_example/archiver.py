"""Names and types of seedance-archiver that callers need, from proto/seedance/archiver/v1."""

from dataclasses import dataclass, field
from typing import Any

import nexusrpc

TASK_QUEUE = "seedance-archiver"
# The endpoint that `seedance-archiver setup` creates.
NEXUS_ENDPOINT = "seedance-archiver"


def lifecycle_id(task_id: str, account: str = "default") -> str:
    """Returns the workflow id of the lifecycle of a task. A task has one lifecycle at a time."""
    return f"video-task/{account}/{task_id}"


@dataclass
class VideoRequest:
    """Input of `VideoTaskLifecycle` and of `AwaitVideoTask`."""

    task_id: str
    # Returns a lost video as a result, like every other outcome, and not as a failure. Not allowed with Nexus.
    report_only: bool = True


@dataclass
class GenerateRequest:
    """Input of `GenerateVideo`."""

    # The body of the API's create request.
    request: dict[str, Any]
    # At most one task is created for each id.
    submission_id: str
    report_only: bool = True


@dataclass
class ArchivedObject:
    name: str
    url: str
    size_bytes: int = 0
    sha256: str = ""


@dataclass
class Manifest:
    """Receipt of an archived video."""

    manifest_url: str
    objects: list[ArchivedObject] = field(default_factory=list)


@dataclass
class VideoResult:
    """Outcome `archived` with the receipt, or `unsuccessful`, `lost` or `unknown` with the reason."""

    outcome: str
    manifest: Manifest | None = None
    reason: str = ""
    message: str = ""


@nexusrpc.service
class SeedanceArchiver:
    """The Nexus service."""

    AwaitVideoTask: nexusrpc.Operation[VideoRequest, VideoResult]
