"""Archives a video without a workflow in this program."""

from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy

from archive_example import archiver
from archive_example.archiver import VideoRequest, VideoResult


async def archive(client: Client, task_id: str) -> VideoResult:
    lifecycle = await client.start_workflow(
        "VideoTaskLifecycle",
        VideoRequest(task_id),
        id=archiver.lifecycle_id(task_id),
        task_queue=archiver.TASK_QUEUE,
        # Joins a lifecycle that is already running.
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        result_type=VideoResult,
    )
    return await lifecycle.result()
