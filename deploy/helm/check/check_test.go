package main

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"
)

// Each golden file is valid. With a single fault it must be rejected, with an error about that fault.
func TestFaultsAreRejected(t *testing.T) {
	for _, test := range []struct{ golden, old, new, message string }{
		{"production", "readOnlyRootFilesystem", "readonlyRootFilesystem", "unknown field"},
		{"production", "mountPath: /run/secrets/seedance-accounts", "mountPaths: /run/secrets/seedance-accounts", "unknown field"},
		{"production", "imagePullPolicy: IfNotPresent", "imagePullPolicy: Sometimes", "Unsupported value"},
		{"production", "- name: seedance-accounts\n", "- name: accounts\n", "Not found"},
		{"production", "containerPort: 9464", "containerPort: 94640", "must be between"},
		{"production", "unhealthyPodEvictionPolicy: AlwaysAllow", "unhealthyPodEvictionPolicy: Always", "Unsupported value"},
		{"production", "protocol: UDP", "protocol: QUIC", "Unsupported value"},
		{"production", "pathType: Prefix", "pathType: Start", "Unsupported value"},
		{"production", "stabilizationWindowSeconds", "stabilisationWindowSeconds", "unknown field"},
		{"production", "value: 1, periodSeconds: 60}", "value: 1}", "periodSeconds"},
		{"production", "podTargetLabels", "podTargetLabel", "unknown field"},
		{"production", "targetPort: admin", "targetPort: metrics", "port metrics does not exist"},
		{"production", "- port: admin", "- port: metrics", "port metrics does not exist"},
		{"production", "port: admin}\n            periodSeconds: 10", "port: health}\n            periodSeconds: 10", "port health does not exist"},
		{"production", "name: archiver-seedance-archiver-transfer\n  pollingInterval", "name: archiver-transfer\n  pollingInterval", "archiver-transfer does not exist"},
		{"production", "component: transfer\n---\n# Source: seedance-archiver/templates/serviceaccount", "component: transfers\n---\n#", "map[app.kubernetes.io/component:transfer"},
		{"temporal-cloud", "temporalNamespace:", "namespace:", "unknown field"},
		{"temporal-cloud", "connectionRef", "connection", "unknown field"},
		{"temporal-cloud", "path: /livez", "paths: /livez", "unknown field"},
		{"temporal-cloud", "- ALL", "- all capabilities of: root", "cannot unmarshal"},
		{"temporal-cloud", "defaultMode: 0440", "defaultMode: 04400", "must be a number between"},
		{"temporal-cloud", "kind: Connection", "kind: TemporalConnection", "no kind"},
		{"mtls", "parameter: cert", "param: cert", "unknown field"},
	} {
		t.Run(test.golden+"/"+test.new, func(t *testing.T) {
			golden, err := os.ReadFile("../tests/" + test.golden + ".golden.yaml")
			if err != nil {
				t.Fatal(err)
			}
			if problem := problemIn(t, golden); problem != nil {
				t.Fatalf("the golden file is invalid: %v", problem)
			}
			faulty := bytes.Replace(golden, []byte(test.old), []byte(test.new), 1)
			if bytes.Equal(faulty, golden) {
				t.Fatalf("the golden file does not contain %q", test.old)
			}
			problem := problemIn(t, faulty)
			if problem == nil || !strings.Contains(problem.Error(), test.message) {
				t.Fatalf("want an error that contains %q, got: %v", test.message, problem)
			}
		})
	}
}

func problemIn(t *testing.T, manifests []byte) error {
	documents, err := read(bytes.NewReader(manifests))
	if err != nil {
		t.Fatal(err)
	}
	return errors.Join(check(documents)...)
}
