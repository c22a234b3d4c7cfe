"""Creates a task with ByteDance's own client and waits until its video is in the archive.

Nobody starts the lifecycle: Seedance calls the archiver's worker back, and the worker starts it.
"""

import asyncio
import os
import sys

from temporalio.client import Client, WorkflowHandle
from temporalio.envconfig import ClientConfig
from temporalio.service import RPCError, RPCStatusCode
from volcenginesdkarkruntime import Ark

BASE_URL = "https://ark.ap-southeast.bytepluses.com/api/v3"
# The first callback comes as soon as there is a task.
CALLBACK_TIMEOUT_SECONDS = 60


async def main(prompt: str) -> int:
    config = ClientConfig.load_client_connect_config()
    config.setdefault("target_host", "localhost:7233")
    client = await Client.connect(**config)

    task_id = create_task(prompt)
    print(f"{task_id} is created", file=sys.stderr)
    lifecycle = client.get_workflow_handle(f"video-task/default/{task_id}")
    await wait_for_callback(lifecycle)
    return report(await lifecycle.result())


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


async def wait_for_callback(lifecycle: WorkflowHandle) -> None:
    for _ in range(CALLBACK_TIMEOUT_SECONDS):
        try:
            await lifecycle.describe()
            return
        except RPCError as error:
            if error.status != RPCStatusCode.NOT_FOUND:
                raise
        await asyncio.sleep(1)
    raise SystemExit(
        f"no callback came in {CALLBACK_TIMEOUT_SECONDS} s. Can Seedance reach SEEDANCE_INGRESS_URL, "
        "and does the worker have SEEDANCE_CALLBACK_START_LIFECYCLES=true?"
    )


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
