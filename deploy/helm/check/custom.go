package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"sigs.k8s.io/yaml"
)

// validateCustom validates a document against its CRD, which is part of the Go module of its types.
func validateCustom(document []byte, module, file string) error {
	folder, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", module).Output()
	if err != nil {
		return fmt.Errorf("cannot find module %s: %w", module, err)
	}
	text, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(folder)), file))
	if err != nil {
		return err
	}
	var written apiextensionsv1.CustomResourceDefinition
	if err := yaml.Unmarshal(text, &written); err != nil {
		return err
	}
	var definition apiextensions.CustomResourceDefinition
	if err := apiextensionsv1.Convert_v1_CustomResourceDefinition_To_apiextensions_CustomResourceDefinition(&written, &definition, nil); err != nil {
		return err
	}
	if definition.Spec.Validation == nil {
		return errors.New("the CRD has no schema")
	}
	validator, _, err := validation.NewSchemaValidator(definition.Spec.Validation.OpenAPIV3Schema)
	if err != nil {
		return err
	}
	var fields map[string]any
	if err := yaml.Unmarshal(document, &fields); err != nil {
		return err
	}
	return validation.ValidateCustomResource(nil, fields, validator).ToAggregate()
}
