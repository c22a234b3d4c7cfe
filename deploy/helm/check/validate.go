package main

import (
	"fmt"

	keda "github.com/kedacore/keda/v2/apis/keda/v1alpha1"
	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/kubernetes/pkg/api/pod"
	"k8s.io/kubernetes/pkg/apis/apps"
	appsvalidation "k8s.io/kubernetes/pkg/apis/apps/validation"
	"k8s.io/kubernetes/pkg/apis/core"
	corevalidation "k8s.io/kubernetes/pkg/apis/core/validation"
	"k8s.io/kubernetes/pkg/apis/networking"
	networkingvalidation "k8s.io/kubernetes/pkg/apis/networking/validation"
	"k8s.io/kubernetes/pkg/apis/policy"
	policyvalidation "k8s.io/kubernetes/pkg/apis/policy/validation"
)

func validate(object runtime.Object, document []byte) error {
	if about, err := meta.Accessor(object); err == nil && about.GetNamespace() == "" {
		about.SetNamespace("default")
	}
	switch object := object.(type) {
	case *apps.Deployment:
		options := pod.GetValidationOptionsFromPodTemplate(&object.Spec.Template, nil)
		return appsvalidation.ValidateDeployment(object, options).ToAggregate()
	case *core.Pod:
		options := pod.GetValidationOptionsFromPodSpecAndMeta(&object.Spec, nil, &object.ObjectMeta, nil)
		return corevalidation.ValidatePodCreate(object, options).ToAggregate()
	case *core.Service:
		if object.Spec.ClusterIP != "" {
			object.Spec.ClusterIPs = []string{object.Spec.ClusterIP}
		}
		return corevalidation.ValidateServiceCreate(object).ToAggregate()
	case *core.ServiceAccount:
		return corevalidation.ValidateServiceAccount(object).ToAggregate()
	case *networking.Ingress:
		return networkingvalidation.ValidateIngressCreate(object).ToAggregate()
	case *networking.NetworkPolicy:
		options := networkingvalidation.NetworkPolicyValidationOptions{}
		return networkingvalidation.ValidateNetworkPolicy(object, options).ToAggregate()
	case *policy.PodDisruptionBudget:
		options := policyvalidation.PodDisruptionBudgetValidationOptions{}
		return policyvalidation.ValidatePodDisruptionBudget(object, options).ToAggregate()
	case *keda.ScaledObject:
		return validateCustom(document, "github.com/kedacore/keda/v2", "config/crd/bases/keda.sh_scaledobjects.yaml")
	case *keda.TriggerAuthentication:
		return validateCustom(document, "github.com/kedacore/keda/v2", "config/crd/bases/keda.sh_triggerauthentications.yaml")
	case *Connection, *monitoring.ServiceMonitor:
		return nil
	case *WorkerDeployment:
		return validateWorkerDeployment(object)
	}
	return fmt.Errorf("no validation for this kind")
}
