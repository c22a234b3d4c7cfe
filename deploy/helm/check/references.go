package main

import (
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
)

// selectors lists the fields in which each kind has a selector, and the kind that it selects.
var selectors = map[string][]string{
	"Service":             {"spec", "selector"},
	"PodDisruptionBudget": {"spec", "selector", "matchLabels"},
	"NetworkPolicy":       {"spec", "podSelector", "matchLabels"},
	"ServiceMonitor":      {"spec", "selector", "matchLabels"},
}

// unresolved returns references between objects that match nothing, which an API server does not check.
func unresolved(objects []unstructured.Unstructured) (problems []error) {
	var pods, services []labels.Set
	names := map[string]bool{}
	for _, object := range objects {
		names[object.GetName()] = true
		if object.GetKind() == "Service" {
			services = append(services, object.GetLabels())
		}
		if of, found, _ := unstructured.NestedStringMap(object.Object, "spec", "template", "metadata", "labels"); found {
			pods = append(pods, of)
		}
		walk(object.Object, func(key string, value any) {
			if fields, ok := value.(map[string]any); ok && key == "ports" {
				names[fmt.Sprint("port ", fields["name"])] = true
			}
		})
	}
	for _, object := range objects {
		missing := func(what any) {
			problems = append(problems, fmt.Errorf("%s %s: %v does not exist", object.GetKind(), object.GetName(), what))
		}
		among := pods
		if object.GetKind() == "ServiceMonitor" {
			among = services
		}
		if path, ok := selectors[object.GetKind()]; ok {
			by, _, _ := unstructured.NestedStringMap(object.Object, path...)
			if !matches(by, among) {
				missing(by)
			}
		}
		if scaled, found, _ := unstructured.NestedString(object.Object, "spec", "scaleTargetRef", "name"); found && !names[scaled] {
			missing(scaled)
		}
		walk(object.Object, func(key string, value any) {
			if port, ok := value.(string); ok && (key == "port" || key == "targetPort") && !names["port "+port] {
				missing("port " + port)
			}
		})
	}
	return problems
}

func matches(by labels.Set, among []labels.Set) bool {
	for _, labels := range among {
		if by.AsSelector().Matches(labels) {
			return true
		}
	}
	return false
}

// walk visits each value with its key, or the key of its list.
func walk(value any, visit func(key string, value any)) {
	fields, _ := value.(map[string]any)
	for key, value := range fields {
		list, ok := value.([]any)
		if !ok {
			list = []any{value}
		}
		for _, value := range list {
			visit(key, value)
			walk(value, visit)
		}
	}
}
