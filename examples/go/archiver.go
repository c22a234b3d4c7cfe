package main

//go:generate go run github.com/bufbuild/buf/cmd/buf@v1.75.0 generate

// archiverQueue is the task queue of seedance-archiver.
const archiverQueue = "seedance-archiver"

// nexusEndpoint is the endpoint that `seedance-archiver setup` creates.
const nexusEndpoint = "seedance-archiver"

// lifecycleID returns the workflow id of the lifecycle of a task. The id is the same for every caller, so a task has
// one lifecycle at a time.
func lifecycleID(taskID string) string {
	const account = "default"
	return "video-task/" + account + "/" + taskID
}
