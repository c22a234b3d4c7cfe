package main

import (
	keda "github.com/kedacore/keda/v2/apis/keda/v1alpha1"
	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	_ "k8s.io/kubernetes/pkg/apis/apps/install"
	_ "k8s.io/kubernetes/pkg/apis/core/install"
	_ "k8s.io/kubernetes/pkg/apis/networking/install"
	_ "k8s.io/kubernetes/pkg/apis/policy/install"
)

var strict = serializer.NewCodecFactory(legacyscheme.Scheme, serializer.EnableStrict)

func init() {
	utilruntime.Must(keda.AddToScheme(legacyscheme.Scheme))
	utilruntime.Must(monitoring.AddToScheme(legacyscheme.Scheme))
	addWorkerController(legacyscheme.Scheme)
}

// decode rejects unknown and duplicate fields. It returns the object as an API server has it: with defaults, and in
// the internal version if the kind has one.
func decode(document []byte) (runtime.Object, error) {
	object, _, err := strict.UniversalDeserializer().Decode(document, nil, nil)
	if err != nil {
		return nil, err
	}
	legacyscheme.Scheme.Default(object)
	internal, err := legacyscheme.Scheme.ConvertToVersion(object, runtime.InternalGroupVersioner)
	if runtime.IsNotRegisteredError(err) || internal == nil {
		return object, nil
	}
	return internal, err
}
