"""Workflows of yours that need a video in the archive, in two ways."""

from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.workflow import ParentClosePolicy

from archive_example import archiver
from archive_example.archiver import VideoRequest, VideoResult


@workflow.defn
class AwaitVideo:
    """By an activity: cancelling it stops the waiting, not the archive."""

    @workflow.run
    async def run(self, task_id: str) -> VideoResult:
        return await await_video(task_id)


@workflow.defn
class ArchiveAsChild:
    """By a child workflow: it is in the history, and cancelling it stops the archive."""

    @workflow.run
    async def run(self, task_id: str) -> VideoResult:
        try:
            return await workflow.execute_child_workflow(
                "VideoTaskLifecycle",
                VideoRequest(task_id),
                id=archiver.lifecycle_id(task_id),
                task_queue=archiver.TASK_QUEUE,
                # It goes on where this workflow ends first.
                parent_close_policy=ParentClosePolicy.ABANDON,
                result_type=VideoResult,
            )
        except WorkflowAlreadyStartedError:
            # Somebody else's, a callback's perhaps: a workflow awaits it by the activity.
            return await await_video(task_id)


async def await_video(task_id: str) -> VideoResult:
    return await workflow.execute_activity(
        "AwaitVideoTask",
        VideoRequest(task_id),
        task_queue=archiver.TASK_QUEUE,
        # One attempt may wait for as long as a video can take.
        start_to_close_timeout=timedelta(days=15),
        # It is how the loss of a worker is noticed.
        heartbeat_timeout=timedelta(minutes=1),
        result_type=VideoResult,
    )
