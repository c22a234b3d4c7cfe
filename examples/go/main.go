// Archives the video of a task, or creates the task too, and prints the URL of its receipt.
package main

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"os"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/envconfig"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"

	"archive-example/archiverv1"
)

const usage = `usage: go run . nexus|await|child|start cgt-…
       go run . generate ORDER`

// The end user and the prompt of the task that `generate` creates.
const (
	user   = "user-7"
	prompt = "a kite over the sea"
)

// taskQueue is the task queue of the worker in this example, not the archiver's.
const taskQueue = "archive-example-go"

var workflows = map[string]any{
	"nexus": AwaitVideoByNexus, "await": AwaitVideo, "child": ArchiveAsChild, "generate": Generate,
}

// result is a VideoTaskLifecycleResult or a GenerateVideoResult.
type result interface {
	GetOutcome() string
	GetManifest() *archiverv1.Manifest
	GetReason() string
	GetMessage() string
}

func main() {
	if len(os.Args) != 3 || os.Args[1] != "start" && workflows[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, usage)
		os.Exit(2)
	}
	result, err := run(context.Background(), os.Args[1], os.Args[2])
	if err != nil {
		fmt.Fprintln(os.Stderr, "failed:", err)
		os.Exit(1)
	}
	if result.GetManifest() == nil {
		fmt.Printf("%s %s: %s\n", result.GetOutcome(), result.GetReason(), result.GetMessage())
		os.Exit(1)
	}
	fmt.Println(result.GetOutcome(), result.GetManifest().ManifestUrl)
}

func run(ctx context.Context, mode, id string) (result, error) {
	options, err := envconfig.LoadDefaultClientOptions()
	if err != nil {
		return nil, err
	}
	// The SDK's default logger writes to standard output, where this program prints the result.
	options.Logger = log.NewStructuredLogger(slog.Default())
	c, err := client.Dial(options)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	if mode == "start" {
		return archive(ctx, c, id)
	}
	return runWorkflow(ctx, c, mode, id)
}

func runWorkflow(ctx context.Context, c client.Client, mode, id string) (result, error) {
	w := worker.New(c, taskQueue, worker.Options{})
	for _, workflow := range workflows {
		w.RegisterWorkflow(workflow)
	}
	if err := w.Start(); err != nil {
		return nil, err
	}
	defer w.Stop()

	options := client.StartWorkflowOptions{
		ID:                       "archive-example/" + mode + "/" + id,
		TaskQueue:                taskQueue,
		WorkflowIDConflictPolicy: enums.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
	}
	arguments := []any{id}
	switch mode {
	case "nexus":
		arguments = append(arguments, cmp.Or(os.Getenv("NEXUS_ENDPOINT"), nexusEndpoint))
	case "generate":
		arguments = append(arguments, user, prompt)
	}
	execution, err := c.ExecuteWorkflow(ctx, options, workflows[mode], arguments...)
	if err != nil {
		return nil, err
	}
	if mode == "generate" {
		result := &archiverv1.GenerateVideoResult{}
		return result, execution.Get(ctx, result)
	}
	result := &archiverv1.VideoTaskLifecycleResult{}
	return result, execution.Get(ctx, result)
}
