{{- define "seedance-archiver.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 38 | trimSuffix "-" }}
{{- end }}

{{/* With the suffix `-transfer` at most 47 characters, the limit of a WorkerDeployment's name. */}}
{{- define "seedance-archiver.fullname" -}}
{{- $name := include "seedance-archiver.name" . -}}
{{- $full := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) -}}
{{- default $full .Values.fullnameOverride | trunc 38 | trimSuffix "-" }}
{{- end }}

{{- define "seedance-archiver.selectorLabels" -}}
app.kubernetes.io/name: {{ include "seedance-archiver.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "seedance-archiver.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{ include "seedance-archiver.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "seedance-archiver.serviceAccountName" -}}
{{- default (ternary (include "seedance-archiver.fullname" .) "default" .Values.serviceAccount.create) .Values.serviceAccount.name }}
{{- end }}

{{- define "seedance-archiver.image" -}}
{{- with .Values.image -}}
{{- if .digest }}{{ .repository }}@{{ .digest }}{{ else }}{{ .repository }}:{{ default $.Chart.AppVersion .tag }}{{ end }}
{{- end }}
{{- end }}

{{- define "seedance-archiver.callbacksTokenMounted" -}}
{{- if and .Values.callbacks.enabled .Values.callbacks.tokenSecret.name }}true{{ end }}
{{- end }}

{{/* Constraints for which the schema's own errors would not help. */}}
{{- define "seedance-archiver.check" -}}
{{- with .Values }}
{{- if eq (empty .seedance.apiKeySecret.name) (empty .seedance.accountsSecret.name) }}
{{- fail "set exactly one of seedance.apiKeySecret.name and seedance.accountsSecret.name" }}
{{- end }}
{{- if and .seedance.sealKeysSecret.name .seedance.accountsSecret.name }}
{{- fail "seedance.sealKeysSecret requires seedance.apiKeySecret: an accounts file names its own seal keys" }}
{{- end }}
{{- if and .seedance.sealKeysSecret.name .env.SEEDANCE_SEAL_KEYS_FILE }}
{{- fail "set only one of seedance.sealKeysSecret.name and env.SEEDANCE_SEAL_KEYS_FILE" }}
{{- end }}
{{- if and .keda.enabled .workerDeployment.enabled }}
{{- fail "keda.enabled and workerDeployment.enabled are mutually exclusive: a ScaledObject cannot follow the controller's Deployments; see the chart's README" }}
{{- end }}
{{- if ne (empty .env.TEMPORAL_DEPLOYMENT_NAME) (empty .env.TEMPORAL_WORKER_BUILD_ID) }}
{{- fail "set both of env.TEMPORAL_DEPLOYMENT_NAME and env.TEMPORAL_WORKER_BUILD_ID, or neither: a version needs both" }}
{{- end }}
{{- with .temporal.tls }}
{{- if and .ca (not .secret) }}
{{- fail "temporal.tls.ca requires temporal.tls.secret, which contains the ca.crt; without a client certificate, set temporal.tls.caSecret" }}
{{- end }}
{{- if and .ca .caSecret }}
{{- fail "set only one of temporal.tls.ca and temporal.tls.caSecret" }}
{{- end }}
{{- end }}
{{- if and .temporal.tls.caSecret .keda.enabled (not .temporal.tls.secret) }}
{{- fail "temporal.tls.caSecret with keda.enabled requires temporal.tls.secret: KEDA verifies a server by a private CA only with a client certificate" }}
{{- end }}
{{- if and .temporal.tls.caSecret .workerDeployment.enabled }}
{{- fail "temporal.tls.caSecret and workerDeployment.enabled are mutually exclusive: the chart's Connection names no CA" }}
{{- end }}
{{- if and .callbacks.ingress.enabled (not .callbacks.enabled) }}
{{- fail "callbacks.ingress.enabled requires callbacks.enabled" }}
{{- end }}
{{- if and .callbacks.ingress.enabled (not .callbacks.ingress.host) }}
{{- fail "callbacks.ingress.enabled requires callbacks.ingress.host" }}
{{- end }}
{{- if and .callbacks.enabled .seedance.apiKeySecret.name (not .callbacks.tokenSecret.name) }}
{{- fail "callbacks.enabled with seedance.apiKeySecret requires callbacks.tokenSecret.name" }}
{{- end }}
{{- end }}
{{- end }}
