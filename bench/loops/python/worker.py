"""Waits for Seedance tasks in the two ways that Temporal's samples show: a timer loop and activity retries."""

import asyncio
import os
import signal
from datetime import timedelta
from typing import Any

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory
from temporalio.worker import Worker

with workflow.unsafe.imports_passed_through():
    import aiohttp

INTERVAL = timedelta(seconds=float(os.environ["INTERVAL_SECONDS"]))
TERMINAL_STATUSES = {"succeeded", "failed", "expired", "cancelled"}
HTTP_TIMEOUT = timedelta(seconds=10)

# Longer than an HTTP request, so that the request's own error is reported.
START_TO_CLOSE_TIMEOUT = timedelta(seconds=15)
# A coefficient of 1: every retry comes after the same interval.
RETRY_EACH_INTERVAL = RetryPolicy(initial_interval=INTERVAL, backoff_coefficient=1.0)

# A task as the API describes it.
Record = dict[str, Any]


class Seedance:
    """Activities that query the API."""

    def __init__(self, session: aiohttp.ClientSession, base_url: str) -> None:
        self.session = session
        self.base_url = base_url

    @activity.defn
    async def query(self, task_id: str) -> Record:
        """Returns the record of a task, whatever its status."""
        url = f"{self.base_url}/contents/generations/tasks/{task_id}"
        async with self.session.get(url) as response:
            # 404: a task that has just been created may not be found yet.
            if response.status in (404, 429):
                raise not_ready(f"the API returned {response.status}")
            if 400 <= response.status < 500:
                raise ApplicationError(f"the API returned {response.status}", type="Rejected", non_retryable=True)
            response.raise_for_status()
            return await response.json()

    @activity.defn
    async def query_until_terminal(self, task_id: str) -> Record:
        """Returns the record of a task that has ended. Fails for any other task, so that Temporal retries."""
        record = await self.query(task_id)
        if record["status"] not in TERMINAL_STATUSES:
            raise not_ready(f"the task is {record['status']}")
        return record


def not_ready(message: str) -> ApplicationError:
    """Returns an error after which Temporal retries. It is expected, so the SDK does not log a warning."""
    return ApplicationError(message, type="NotReady", category=ApplicationErrorCategory.BENIGN)


@workflow.defn
class TimerLoop:
    """Queries, sleeps on a workflow timer, and repeats until the task has ended."""

    @workflow.run
    async def run(self, task_id: str) -> Record:
        while True:
            record = await workflow.execute_activity_method(
                Seedance.query,
                task_id,
                start_to_close_timeout=START_TO_CLOSE_TIMEOUT,
                retry_policy=RETRY_EACH_INTERVAL,
            )
            if record["status"] in TERMINAL_STATUSES:
                return record
            await workflow.sleep(INTERVAL)
            if workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(task_id)


@workflow.defn
class ActivityRetryLoop:
    """Lets Temporal retry one activity until the task has ended. Retries add no events to the history."""

    @workflow.run
    async def run(self, task_id: str) -> Record:
        return await workflow.execute_activity_method(
            Seedance.query_until_terminal,
            task_id,
            start_to_close_timeout=START_TO_CLOSE_TIMEOUT,
            retry_policy=RETRY_EACH_INTERVAL,
        )


async def main() -> None:
    stopped = asyncio.Event()
    for number in signal.SIGINT, signal.SIGTERM:
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)

    client = await Client.connect(os.environ["TEMPORAL_ADDRESS"], namespace=os.environ["TEMPORAL_NAMESPACE"])
    headers = {"Authorization": f"Bearer {os.environ['SEEDANCE_API_KEY']}"}
    timeout = aiohttp.ClientTimeout(total=HTTP_TIMEOUT.total_seconds())
    async with aiohttp.ClientSession(headers=headers, timeout=timeout) as session:
        seedance = Seedance(session, os.environ["SEEDANCE_BASE_URL"])
        async with Worker(
            client,
            task_queue=os.environ["TASK_QUEUE"],
            workflows=[TimerLoop, ActivityRetryLoop],
            activities=[seedance.query, seedance.query_until_terminal],
        ):
            print("ready", flush=True)
            await stopped.wait()


if __name__ == "__main__":
    asyncio.run(main())
    # The interpreter may crash on exit after using the SDK: temporalio/sdk-python#300.
    os._exit(0)
