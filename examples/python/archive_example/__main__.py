"""Archives the video of a task, or creates the task too, and prints the URL of its receipt."""

import argparse
import asyncio
import os
import sys

from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.envconfig import ClientConfig
from temporalio.worker import Worker

from archive_example import client as plain_client
from archive_example.archiver import NEXUS_ENDPOINT, VideoResult
from archive_example.workflows import ArchiveAsChild, AwaitVideo, AwaitVideoByNexus, Generate

# The task queue of the worker in this example, not the archiver's.
TASK_QUEUE = "archive-example-python"
WORKFLOWS = {
    "nexus": AwaitVideoByNexus.run,
    "await": AwaitVideo.run,
    "child": ArchiveAsChild.run,
    "generate": Generate.run,
}
# The end user and the prompt of the task that `generate` creates.
USER = "user-7"
PROMPT = "a kite over the sea"


async def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m archive_example", description=__doc__)
    parser.add_argument("mode", choices=[*WORKFLOWS, "start"])
    parser.add_argument("id", metavar="ID", help="task id, cgt-…, or the id of an order for `generate`")
    arguments = parser.parse_args()

    config = ClientConfig.load_client_connect_config()
    config.setdefault("target_host", "localhost:7233")
    client = await Client.connect(**config)
    if arguments.mode == "start":
        result = await plain_client.archive(client, arguments.id)
    else:
        result = await run_workflow(client, arguments.mode, arguments.id)
    return report(result)


async def run_workflow(client: Client, mode: str, id: str) -> VideoResult:
    workflows = [AwaitVideoByNexus, AwaitVideo, ArchiveAsChild, Generate]
    arguments = [id]
    if mode == "nexus":
        arguments.append(os.environ.get("NEXUS_ENDPOINT", NEXUS_ENDPOINT))
    elif mode == "generate":
        arguments += [USER, PROMPT]
    async with Worker(client, task_queue=TASK_QUEUE, workflows=workflows):
        return await client.execute_workflow(
            WORKFLOWS[mode],
            args=arguments,
            id=f"archive-example/{mode}/{id}",
            task_queue=TASK_QUEUE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        )


def report(result: VideoResult) -> int:
    if result.manifest:
        print(result.outcome, result.manifest.manifest_url)
        return 0
    print(f"{result.outcome} {result.reason}: {result.message}")
    return 1


status = asyncio.run(main())
sys.stdout.flush()
# The interpreter may crash on exit if the program ends soon after using the SDK: temporalio/sdk-python#300.
os._exit(status)
