"""Runs ByteDance's Python client, unmodified, against a base URL.

Creates, gets, lists, cancels and deletes tasks, downloads a video, and checks what the client returns.
Prints the record of the succeeded task as JSON.
"""

import argparse
import time
import urllib.error
import urllib.request

from volcenginesdkarkruntime import Ark
from volcenginesdkarkruntime._exceptions import (
    ArkAPIStatusError,
    ArkAuthenticationError,
    ArkBadRequestError,
    ArkNotFoundError,
)

MODEL = "seedance-1-5-pro-251215"
# The task stays queued for longer than the test, so that it can be cancelled without a race.
LONG_QUEUE = "--simulate queued=3600"


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--base-url", required=True)
    arguments.add_argument("--api-key", required=True)
    arguments = arguments.parse_args()
    client = Ark(base_url=arguments.base_url, api_key=arguments.api_key, max_retries=0)
    tasks = client.content_generation.tasks

    check_errors(arguments, tasks)
    succeeded = create_and_download_a_video(tasks)
    failed = check_failed_task(tasks)
    cancel_queued_task(tasks)
    check_that_a_running_task_cannot_be_cancelled(tasks)
    check_lists(tasks, succeeded, failed)
    delete_task(tasks, failed)
    print(succeeded.model_dump_json())


def create(tasks, prompt, **options):
    content = [{"type": "text", "text": prompt}]
    task_id = tasks.create(model=MODEL, content=content, **options).id
    # The API does not return a task in the second of its creation.
    deadline = time.monotonic() + 60
    while not exists(tasks, task_id):
        assert time.monotonic() < deadline, f"{task_id} is not returned"
        time.sleep(0.1)
    return task_id


def exists(tasks, task_id):
    try:
        tasks.get(task_id=task_id)
    except ArkNotFoundError:
        return False
    return True


def wait_until(tasks, task_id, status):
    deadline = time.monotonic() + 60
    while (task := tasks.get(task_id=task_id)).status != status:
        assert time.monotonic() < deadline, f"{task_id} is {task.status}, not {status}"
        time.sleep(0.1)
    return task


def check_errors(arguments, tasks):
    unauthorized = Ark(base_url=arguments.base_url, api_key="wrong", max_retries=0)
    error = raises(ArkAuthenticationError, unauthorized.content_generation.tasks.get, task_id="cgt-1")
    assert error.code == "AuthenticationError", error
    error = raises(ArkNotFoundError, tasks.get, task_id="cgt-20260101000000-none0")
    assert error.code.split(".")[0] == "NotFound", error
    error = raises(ArkBadRequestError, tasks.create, model="", content=[])
    assert (error.code, error.param) == ("MissingParameter", "model"), error
    error = raises(ArkBadRequestError, create, tasks, "--simulate ending=never")
    assert "ending=never" in error.message, error


def create_and_download_a_video(tasks):
    task_id = create(
        tasks,
        "a kite over the sea",
        generate_audio=True,
        return_last_frame=True,
        seed=7,
        safety_identifier="user-7",
    )
    assert task_id.startswith("cgt-"), task_id
    task = wait_until(tasks, task_id, "succeeded")
    assert (task.id, task.model, task.seed) == (task_id, MODEL, 7), task
    assert (task.resolution, task.ratio, task.duration) == ("480p", "16:9", 5), task
    assert task.generate_audio is True and task.framespersecond == 24, task
    assert task.safety_identifier == "user-7" and task.service_tier == "default", task
    assert task.error is None and task.usage.total_tokens > 0, task
    assert task.created_at <= task.updated_at <= time.time(), task

    video = download(task.content.video_url)
    assert video[4:8] == b"ftyp" and b"mp4a" in video and b"avc1" in video
    assert download(task.content.last_frame_url).startswith(b"\x89PNG")
    tampered = task.content.video_url.replace("X-Tos-Expires=", "X-Tos-Expires=9")
    assert raises(urllib.error.HTTPError, download, tampered).code == 403
    return task


def check_failed_task(tasks):
    task = wait_until(tasks, create(tasks, "a storm --simulate ending=failed"), "failed")
    assert task.error.code == "OutputVideoSensitiveContentDetected", task
    assert task.error.message and task.content is None, task
    return task


def cancel_queued_task(tasks):
    task_id = create(tasks, LONG_QUEUE)
    assert tasks.get(task_id=task_id).status == "queued"
    tasks.delete(task_id=task_id)
    assert tasks.get(task_id=task_id).status == "cancelled"
    raises(ArkAPIStatusError, tasks.delete, task_id=task_id)


def check_that_a_running_task_cannot_be_cancelled(tasks):
    task_id = create(tasks, "--simulate queued=0,running=3600")
    wait_until(tasks, task_id, "running")
    raises(ArkAPIStatusError, tasks.delete, task_id=task_id)
    assert tasks.get(task_id=task_id).status == "running"


def check_lists(tasks, succeeded, failed):
    flex = create(tasks, LONG_QUEUE, service_tier="flex")
    ids = lambda **filters: [item.id for item in tasks.list(**filters).items]
    assert tasks.list(task_ids=[succeeded.id, failed.id]).total == 2
    assert ids(task_ids=[succeeded.id, failed.id]) == [failed.id, succeeded.id], "newest first"
    assert ids(task_ids=[succeeded.id, failed.id], status="failed") == [failed.id]
    assert ids(task_ids=[succeeded.id, failed.id], page_size=1, page_num=2) == [succeeded.id]
    assert ids(service_tier="flex") == [flex] and flex not in ids()
    assert ids(model="another-model") == []
    raises(ArkBadRequestError, tasks.list, page_size=501)


def delete_task(tasks, failed):
    tasks.delete(task_id=failed.id)
    raises(ArkNotFoundError, tasks.get, task_id=failed.id)


def download(url):
    with urllib.request.urlopen(url) as response:
        return response.read()


def raises(kind, call, *arguments, **options):
    """Calls a function that must raise an exception of this kind, and returns the exception."""
    try:
        result = call(*arguments, **options)
    except kind as error:
        return error
    raise AssertionError(f"{call.__name__} returned {result!r}, expected {kind.__name__}")


main()
