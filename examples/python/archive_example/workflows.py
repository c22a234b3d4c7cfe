"""Workflows that archive a video, in three ways, and one that also creates the task."""

from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import (
    ApplicationError,
    NexusOperationError,
    WorkflowAlreadyStartedError,
)
from temporalio.workflow import NexusOperationCancellationType, ParentClosePolicy

from archive_example import archiver
from archive_example.archiver import (
    GenerateRequest,
    SeedanceArchiver,
    VideoRequest,
    VideoResult,
)


@workflow.defn
class AwaitVideoByNexus:
    """Archives a video by a Nexus operation. The archiver may be in another namespace.

    If the workflow is cancelled, the waiting stops and the archiving continues.
    """

    @workflow.run
    async def run(self, task_id: str, endpoint: str) -> VideoResult:
        archive = workflow.create_nexus_client(service=SeedanceArchiver, endpoint=endpoint)
        try:
            return await archive.execute_operation(
                SeedanceArchiver.AwaitVideoTask,
                VideoRequest(task_id, report_only=False),
                # By default, a cancelled workflow waits for the end of the operation.
                cancellation_type=NexusOperationCancellationType.TRY_CANCEL,
            )
        except NexusOperationError as error:
            return lost_video(error)


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


@workflow.defn
class Generate:
    """Creates a task from a prompt and archives its video, by a child workflow.

    However often it is called for an order, at most one task is created. If the workflow is cancelled, the archiving
    continues.
    """

    @workflow.run
    async def run(self, order_id: str, user_id: str, prompt: str) -> VideoResult:
        # The body of the API's create request, with any of its fields.
        body = {
            "model": "seedance-1-0-pro-250528",
            "content": [{"type": "text", "text": prompt}],
            # Whose video it is: `list --user` and `erase --user` find it by this id.
            "safety_identifier": user_id,
        }
        return await workflow.execute_child_workflow(
            "GenerateVideo",
            GenerateRequest(body, submission_id=order_id),
            task_queue=archiver.TASK_QUEUE,
            # The child continues if this workflow ends first.
            parent_close_policy=ParentClosePolicy.ABANDON,
            result_type=VideoResult,
        )


async def await_video(task_id: str) -> VideoResult:
    return await workflow.execute_activity(
        "AwaitVideoTask",
        VideoRequest(task_id),
        task_queue=archiver.TASK_QUEUE,
        # Waits until the video is archived or lost, up to three weeks: an attempt that times out is retried and
        # joins the same run.
        start_to_close_timeout=timedelta(days=15),
        # Detects the loss of the archiver's worker.
        heartbeat_timeout=timedelta(minutes=1),
        result_type=VideoResult,
    )


def lost_video(error: NexusOperationError) -> VideoResult:
    """Returns the result in the details of the failure `VideoLost`."""
    cause = error.cause
    if not isinstance(cause, ApplicationError) or cause.type != "VideoLost":
        raise error
    lost = cause.details[0]
    return VideoResult(lost["outcome"], reason=lost["reason"], message=lost["message"])
