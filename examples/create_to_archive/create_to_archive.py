"""Creates a task with ByteDance's client and waits until its video is archived.

The lifecycle is started by this program or by the first callback, whichever comes first. If this program
crashes, the callbacks start the lifecycle. If no callback arrives, the lifecycle polls the task.
"""

import asyncio
import os
import sys

from temporalio.client import Client, WorkflowFailureError
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.envconfig import ClientConfig
from temporalio.exceptions import ApplicationError
from volcenginesdkarkruntime import AsyncArk
from volcenginesdkarkruntime._exceptions import ArkAPIError

BASE_URL = "https://ark.ap-southeast.bytepluses.com/api/v3"


async def main(prompt: str) -> int:
    config = ClientConfig.load_client_connect_config()
    config.setdefault("target_host", "localhost:7233")
    # Connect before the task is created, because the task is charged for.
    client = await Client.connect(**config)

    try:
        task_id = await create_task(prompt)
    except ArkAPIError as error:
        print(f"cannot create the task: {error}", file=sys.stderr)
        return 1
    print(f"created task {task_id}", file=sys.stderr)
    return report(await archive(client, task_id))


async def create_task(prompt: str) -> str:
    ark = AsyncArk(
        base_url=os.environ.get("SEEDANCE_BASE_URL", BASE_URL),
        api_key=required("SEEDANCE_API_KEY"),
    )
    ingress = os.environ.get("SEEDANCE_INGRESS_URL", "http://localhost:8088")
    token = required("SEEDANCE_CALLBACK_TOKEN")
    task = await ark.content_generation.tasks.create(
        model="seedance-1-5-pro-251215",
        content=[{"type": "text", "text": prompt}],
        # Reports each change to the worker immediately. Without callbacks the lifecycle notices it by polling.
        callback_url=f"{ingress}/callbacks/default/{token}",
    )
    return task.id


async def archive(client: Client, task_id: str) -> dict:
    lifecycle = await client.start_workflow(
        "VideoTaskLifecycle",
        {"task_id": task_id},
        id=f"video-task/default/{task_id}",
        task_queue="seedance-archiver",
        # Joins the lifecycle if a callback has already started it.
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
    )
    try:
        return await lifecycle.result()
    except WorkflowFailureError as failure:
        # A lost video fails the workflow unless `report_only` is set. The result is in the failure details.
        cause = failure.cause
        if isinstance(cause, ApplicationError) and cause.type == "VideoLost":
            return cause.details[0]
        raise


def report(result: dict) -> int:
    if result["outcome"] != "archived":
        print(f"{result['outcome']} {result['reason']}: {result['message']}")
        return 1
    print(result["manifest"]["objects"][0]["url"].removeprefix("file://"))
    return 0


def required(name: str) -> str:
    return os.environ.get(name) or sys.exit(f"{name} is not set; see the README")


if len(sys.argv) != 2:
    raise SystemExit("usage: python create_to_archive.py PROMPT")
status = asyncio.run(main(sys.argv[1]))
sys.stdout.flush()
# The interpreter may crash on exit if the program ends soon after using the SDK: temporalio/sdk-python#300.
os._exit(status)
