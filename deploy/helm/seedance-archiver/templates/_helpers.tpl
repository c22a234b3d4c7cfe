{{- define "seedance-archiver.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 38 | trimSuffix "-" }}
{{- end }}

{{/* With `-transfer` behind it no longer than the 47 characters of a WorkerDeployment's name. */}}
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

{{/* What the schema cannot say in words that help. */}}
{{- define "seedance-archiver.check" -}}
{{- with .Values }}
{{- if eq (empty .seedance.apiKeySecret.name) (empty .seedance.accountsSecret.name) }}
{{- fail "name one Secret: seedance.apiKeySecret.name or seedance.accountsSecret.name" }}
{{- end }}
{{- if and .keda.enabled .workerDeployment.enabled }}
{{- fail "keda.enabled and workerDeployment.enabled exclude each other: the controller scales each version by itself, see the chart's README" }}
{{- end }}
{{- if and .callbacks.ingress.enabled (not .callbacks.enabled) }}
{{- fail "callbacks.ingress.enabled needs callbacks.enabled" }}
{{- end }}
{{- if and .callbacks.ingress.enabled (not .callbacks.ingress.host) }}
{{- fail "callbacks.ingress.enabled needs callbacks.ingress.host" }}
{{- end }}
{{- if and .callbacks.enabled .seedance.apiKeySecret.name (not .callbacks.tokenSecret.name) }}
{{- fail "callbacks.enabled with seedance.apiKeySecret needs callbacks.tokenSecret.name" }}
{{- end }}
{{- end }}
{{- end }}
