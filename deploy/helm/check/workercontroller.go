package main

import (
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"
)

// The fields of temporal.io/v1alpha1 that the chart uses. The Go proxy does not serve the Worker Controller's module, so
// they are copied from its documentation.

type Connection struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              struct {
		HostPort           string                       `json:"hostPort"`
		MutualTLSSecretRef *corev1.LocalObjectReference `json:"mutualTLSSecretRef"`
		APIKeySecretRef    *corev1.SecretKeySelector    `json:"apiKeySecretRef"`
		TLS                *struct {
			ServerName string `json:"serverName"`
		} `json:"tls"`
	} `json:"spec"`
}

type WorkerDeployment struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              struct {
		Replicas      *int32 `json:"replicas"`
		WorkerOptions struct {
			ConnectionRef     corev1.LocalObjectReference `json:"connectionRef"`
			TemporalNamespace string                      `json:"temporalNamespace"`
		} `json:"workerOptions"`
		Rollout struct {
			Strategy string `json:"strategy"`
			Steps    []struct {
				RampPercentage int             `json:"rampPercentage"`
				PauseDuration  metav1.Duration `json:"pauseDuration"`
			} `json:"steps"`
		} `json:"rollout"`
		Sunset struct {
			ScaledownDelay *metav1.Duration `json:"scaledownDelay"`
			DeleteDelay    *metav1.Duration `json:"deleteDelay"`
		} `json:"sunset"`
		Template corev1.PodTemplateSpec `json:"template"`
	} `json:"spec"`
}

func (c *Connection) DeepCopyObject() runtime.Object       { copied := *c; return &copied }
func (w *WorkerDeployment) DeepCopyObject() runtime.Object { copied := *w; return &copied }

func addWorkerController(scheme *runtime.Scheme) {
	version := schema.GroupVersion{Group: "temporal.io", Version: "v1alpha1"}
	scheme.AddKnownTypes(version, &Connection{}, &WorkerDeployment{})
}

// validateWorkerDeployment validates the Deployment that the controller creates for each version.
func validateWorkerDeployment(w *WorkerDeployment) error {
	document, err := yaml.Marshal(&appsv1.Deployment{
		TypeMeta:   metav1.TypeMeta{APIVersion: "apps/v1", Kind: "Deployment"},
		ObjectMeta: w.ObjectMeta,
		Spec: appsv1.DeploymentSpec{
			Replicas: w.Spec.Replicas,
			Selector: &metav1.LabelSelector{MatchLabels: w.Spec.Template.Labels},
			Template: w.Spec.Template,
		},
	})
	if err != nil {
		return err
	}
	return checkOne(document)
}
