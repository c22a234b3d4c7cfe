"""Creates a task with ByteDance's own client and waits until its video is in the archive.

The lifecycle asks about the task until it has ended. That Seedance calls the archiver's worker back only
makes it quicker.
"""

import asyncio
import os
import sys

from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.envconfig import ClientConfig
from volcenginesdkarkruntime import Ark

BASE_URL = "https://ark.ap-southeast.bytepluses.com/api/v3"
TASK_QUEUE = "seedance-archiver"


async def main(prompt: str) -> int:
    config = ClientConfig.load_client_connect_config()
    config.setdefault("target_host", "localhost:7233")
    client = await Client.connect(**config)

    task_id = create_task(prompt)
    print(f"{task_id} is created", file=sys.stderr)
    return report(await archive(client, task_id))


def create_task(prompt: str) -> str:
    ark = Ark(
        base_url=os.environ.get("SEEDANCE_BASE_URL", BASE_URL),
        api_key=os.environ["SEEDANCE_API_KEY"],
    )
    ingress = os.environ.get("SEEDANCE_INGRESS_URL", "http://localhost:8088")
    token = os.environ["SEEDANCE_CALLBACK_TOKEN"]
    task = ark.content_generation.tasks.create(
        model="seedance-1-5-pro-251215",
        content=[{"type": "text", "text": prompt}],
        callback_url=f"{ingress}/callbacks/default/{token}",
    )
    return task.id


async def archive(client: Client, task_id: str) -> dict:
    lifecycle = await client.start_workflow(
        "VideoTaskLifecycle",
        # A lost video is told in the result, as every other ending. Without it, it is a failure.
        {"task_id": task_id, "report_only": True},
        id=f"video-task/default/{task_id}",
        task_queue=TASK_QUEUE,
        # The callback may have started it already.
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        result_type=dict,
    )
    return await lifecycle.result()


def report(result: dict) -> int:
    if result["outcome"] != "archived":
        print(f"{result['outcome']} {result['reason']}: {result['message']}")
        return 1
    print(result["manifest"]["objects"][0]["url"].removeprefix("file://"))
    return 0


if len(sys.argv) != 2:
    raise SystemExit("usage: python create_to_archive.py PROMPT")
status = asyncio.run(main(sys.argv[1]))
sys.stdout.flush()
# A program that ends this soon may crash in the interpreter's own cleaning up: temporalio/sdk-python#300.
os._exit(status)
