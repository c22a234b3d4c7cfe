"""What a caller needs to know of seedance-archiver; all of it is in proto/seedance/archiver/v1."""

from dataclasses import dataclass, field

TASK_QUEUE = "seedance-archiver"


def lifecycle_id(task_id: str, account: str = "default") -> str:
    """One task, one id: whoever starts a second lifecycle of it finds the first."""
    return f"video-task/{account}/{task_id}"


@dataclass
class VideoRequest:
    """Input of `VideoTaskLifecycle` and of `AwaitVideoTask`."""

    task_id: str
    # A lost video is told in the result, as every other ending. Without it, it is a failure.
    report_only: bool = True


@dataclass
class ArchivedObject:
    name: str
    url: str
    size_bytes: int = 0
    sha256: str = ""


@dataclass
class Manifest:
    """The receipt."""

    manifest_url: str
    objects: list[ArchivedObject] = field(default_factory=list)


@dataclass
class VideoResult:
    """`archived`, with the receipt, or `unsuccessful`, `lost` or `unknown`, with why."""

    outcome: str
    manifest: Manifest | None = None
    reason: str = ""
    message: str = ""
