// A worker that waits for Seedance tasks in the two ways that Temporal's samples show: a timer loop and activity
// retries.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"os"
	"strconv"
	"time"

	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

const (
	httpTimeout = 10 * time.Second
	// Longer than an HTTP request, so that the request's own error is reported.
	startToCloseTimeout = 15 * time.Second
)

// Record is a task as the API describes it.
type Record map[string]any

func (r Record) status() string {
	status, _ := r["status"].(string)
	return status
}

func (r Record) isTerminal() bool {
	switch r.status() {
	case "succeeded", "failed", "expired", "cancelled":
		return true
	}
	return false
}

// Seedance has the activities, which query the API.
type Seedance struct {
	http            *http.Client
	baseURL, apiKey string
}

// Query returns the record of a task, whatever its status.
func (s *Seedance) Query(ctx context.Context, taskID string) (Record, error) {
	url := s.baseURL + "/contents/generations/tasks/" + taskID
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+s.apiKey)
	response, err := s.http.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	message := "the API returned " + response.Status
	switch code := response.StatusCode; {
	// 404: a task that has just been created may not be found yet.
	case code == http.StatusNotFound || code == http.StatusTooManyRequests:
		return nil, notReady(message)
	case code >= 500:
		return nil, errors.New(message)
	case code >= 400:
		return nil, temporal.NewNonRetryableApplicationError(message, "Rejected", nil)
	}
	var record Record
	err = json.NewDecoder(response.Body).Decode(&record)
	return record, err
}

// QueryUntilTerminal returns the record of a task that has ended. It fails for any other task, so that Temporal
// retries.
func (s *Seedance) QueryUntilTerminal(ctx context.Context, taskID string) (Record, error) {
	record, err := s.Query(ctx, taskID)
	if err != nil || record.isTerminal() {
		return record, err
	}
	return nil, notReady("the task is " + record.status())
}

// notReady returns an error after which Temporal retries. It is expected, so the SDK does not log an error.
func notReady(message string) error {
	return temporal.NewApplicationErrorWithOptions(message, "NotReady",
		temporal.ApplicationErrorOptions{Category: temporal.ApplicationErrorCategoryBenign})
}

// Loops has the workflows.
type Loops struct {
	interval time.Duration
}

func (l *Loops) withActivityOptions(ctx workflow.Context) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: startToCloseTimeout,
		// A coefficient of 1: every retry comes after the same interval.
		RetryPolicy: &temporal.RetryPolicy{InitialInterval: l.interval, BackoffCoefficient: 1},
	})
}

// TimerLoop queries, sleeps on a workflow timer, and repeats until the task has ended.
func (l *Loops) TimerLoop(ctx workflow.Context, taskID string) (Record, error) {
	var seedance *Seedance
	for {
		var record Record
		err := workflow.ExecuteActivity(l.withActivityOptions(ctx), seedance.Query, taskID).Get(ctx, &record)
		if err != nil || record.isTerminal() {
			return record, err
		}
		if err := workflow.Sleep(ctx, l.interval); err != nil {
			return nil, err
		}
		if workflow.GetInfo(ctx).GetContinueAsNewSuggested() {
			return nil, workflow.NewContinueAsNewError(ctx, l.TimerLoop, taskID)
		}
	}
}

// ActivityRetryLoop lets Temporal retry one activity until the task has ended. Retries add no events to the history.
func (l *Loops) ActivityRetryLoop(ctx workflow.Context, taskID string) (Record, error) {
	var seedance *Seedance
	var record Record
	err := workflow.ExecuteActivity(l.withActivityOptions(ctx), seedance.QueryUntilTerminal, taskID).Get(ctx, &record)
	return record, err
}

func main() {
	seconds, err := strconv.ParseFloat(os.Getenv("INTERVAL_SECONDS"), 64)
	if err != nil {
		log.Fatalln("INTERVAL_SECONDS:", err)
	}
	c, err := client.Dial(client.Options{
		HostPort:  os.Getenv("TEMPORAL_ADDRESS"),
		Namespace: os.Getenv("TEMPORAL_NAMESPACE"),
		// The SDK's default logger writes to standard output.
		Logger: sdklog.NewStructuredLogger(slog.Default()),
	})
	if err != nil {
		log.Fatalln("cannot connect to Temporal:", err)
	}
	defer c.Close()

	loops := &Loops{interval: time.Duration(seconds * float64(time.Second))}
	w := worker.New(c, os.Getenv("TASK_QUEUE"), worker.Options{})
	w.RegisterWorkflow(loops.TimerLoop)
	w.RegisterWorkflow(loops.ActivityRetryLoop)
	w.RegisterActivity(&Seedance{
		http:    &http.Client{Timeout: httpTimeout},
		baseURL: os.Getenv("SEEDANCE_BASE_URL"),
		apiKey:  os.Getenv("SEEDANCE_API_KEY"),
	})
	if err := w.Start(); err != nil {
		log.Fatalln("cannot start the worker:", err)
	}
	defer w.Stop()
	fmt.Println("ready")
	<-worker.InterruptCh()
}
