"""Workflows that archive a video, in two ways."""

from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.workflow import ParentClosePolicy

from archive_example import archiver
from archive_example.archiver import VideoRequest, VideoResult


@workflow.defn
class AwaitVideo:
    """Archives a video by an activity.

    If the workflow is cancelled, the waiting stops and the archiving continues.
    """

    @workflow.run
    async def run(self, task_id: str) -> VideoResult:
        return await await_video(task_id)


@workflow.defn
class ArchiveAsChild:
    """Archives a video by a child workflow, which is part of the history.

    If the workflow is cancelled, the archiving stops.
    """

    @workflow.run
    async def run(self, task_id: str) -> VideoResult:
        try:
            return await workflow.execute_child_workflow(
                "VideoTaskLifecycle",
                VideoRequest(task_id),
                id=archiver.lifecycle_id(task_id),
                task_queue=archiver.TASK_QUEUE,
                # The child continues if this workflow ends first.
                parent_close_policy=ParentClosePolicy.ABANDON,
                result_type=VideoResult,
            )
        except WorkflowAlreadyStartedError:
            # A lifecycle was started elsewhere, e.g. by a callback: wait for it by the activity.
            return await await_video(task_id)


async def await_video(task_id: str) -> VideoResult:
    return await workflow.execute_activity(
        "AwaitVideoTask",
        VideoRequest(task_id),
        task_queue=archiver.TASK_QUEUE,
        # An attempt waits until the video is archived or lost, up to two weeks.
        start_to_close_timeout=timedelta(days=15),
        # Detects the loss of the archiver's worker.
        heartbeat_timeout=timedelta(minutes=1),
        result_type=VideoResult,
    )
