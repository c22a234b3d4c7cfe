package main

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"
)

// Each golden file is right; with one thing changed in it, it has to be refused for just that.
func TestRefusals(t *testing.T) {
	for _, test := range []struct{ golden, old, new, says string }{
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
		{"production", "targetPort: admin", "targetPort: metrics", "no port metrics"},
		{"production", "- port: admin", "- port: metrics", "no port metrics"},
		{"production", "port: admin}\n            periodSeconds: 10", "port: health}\n            periodSeconds: 10", "no port health"},
		{"production", "name: archiver-seedance-archiver-transfer\n  pollingInterval", "name: archiver-transfer\n  pollingInterval", "there is no archiver-transfer"},
		{"production", "component: transfer\n---\n# Source: seedance-archiver/templates/serviceaccount", "component: transfers\n---\n#", "there is no map["},
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
				t.Fatalf("not right before the change: %v", problem)
			}
			wrong := bytes.Replace(golden, []byte(test.old), []byte(test.new), 1)
			if bytes.Equal(wrong, golden) {
				t.Fatalf("no %q in it", test.old)
			}
			problem := problemIn(t, wrong)
			if problem == nil || !strings.Contains(problem.Error(), test.says) {
				t.Fatalf("want a problem that says %q, got: %v", test.says, problem)
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
