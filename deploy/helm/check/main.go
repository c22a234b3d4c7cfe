// Check validates rendered manifests as an API server would (unknown fields, invalid values), and checks that every
// reference and selector matches an object.
//
//	helm template … | go run .
package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

func main() {
	documents, err := read(os.Stdin)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	problems := check(documents)
	for _, problem := range problems {
		fmt.Fprintln(os.Stderr, problem)
	}
	if len(problems) > 0 || len(documents) == 0 {
		os.Exit(1)
	}
	fmt.Printf("%d objects, no problem\n", len(documents))
}

func read(manifests io.Reader) ([][]byte, error) {
	reader := utilyaml.NewYAMLReader(bufio.NewReader(manifests))
	var documents [][]byte
	for {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return documents, nil
		}
		if err != nil {
			return nil, err
		}
		if len(bytes.TrimSpace(document)) > 0 {
			documents = append(documents, document)
		}
	}
}

func check(documents [][]byte) []error {
	var problems []error
	var objects []unstructured.Unstructured
	for _, document := range documents {
		var fields unstructured.Unstructured
		err := yaml.Unmarshal(document, &fields.Object)
		if err == nil {
			objects = append(objects, fields)
			err = checkOne(document)
		}
		if err != nil {
			problems = append(problems, fmt.Errorf("%s %s: %w", fields.GetKind(), fields.GetName(), err))
		}
	}
	return append(problems, unresolved(objects)...)
}

func checkOne(document []byte) error {
	object, err := decode(document)
	if err != nil {
		return err
	}
	return validate(object, document)
}
