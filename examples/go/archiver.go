package main

//go:generate go run github.com/bufbuild/buf/cmd/buf@v1.75.0 generate

// archiverQueue is the task queue of seedance-archiver.
const archiverQueue = "seedance-archiver"

// lifecycleID is the workflow id of a task's lifecycle. One task, one id: whoever starts a second
// lifecycle of it finds the first.
func lifecycleID(taskID string) string {
	const account = "default"
	return "video-task/" + account + "/" + taskID
}
