{{/*
The pod of a role: (dict "root" $ "component" "query"). Its labels contain no versions, because the Worker
Controller creates a new version for every change of this template.
*/}}
{{- define "seedance-archiver.podTemplate" -}}
{{- $values := .root.Values -}}
{{- $pod := dict "root" .root "connects" (not $values.workerDeployment.enabled) -}}
metadata:
  labels:
    {{- include "seedance-archiver.selectorLabels" .root | nindent 4 }}
    app.kubernetes.io/component: {{ .component }}
    {{- with $values.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- with $values.podAnnotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  {{- include "seedance-archiver.podSpec" $pod | trim | nindent 2 }}
  # 15 s for the last heartbeats to reach Temporal.
  {{- /* At least 45 s: the response to a create request is awaited for up to 30 s. */}}
  terminationGracePeriodSeconds: {{ max (add $values.gracePeriodSeconds 15) 45 }}
  topologySpreadConstraints:
    - topologyKey: kubernetes.io/hostname
      maxSkew: 1
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- include "seedance-archiver.selectorLabels" .root | nindent 10 }}
          app.kubernetes.io/component: {{ .component }}
  containers:
    - name: worker
      args: [worker, --queues, {{ .component }}]
      {{- include "seedance-archiver.container" $pod | nindent 6 }}
      ports:
        - name: admin
          containerPort: 9464
        {{- if and $values.callbacks.enabled (eq .component "query") }}
        - name: callbacks
          containerPort: {{ $values.callbacks.port }}
        {{- end }}
      # The port is bound after the worker has connected to Temporal and probed the archives, for up to 30 s.
      startupProbe:
        httpGet: {path: /livez, port: admin}
        periodSeconds: 2
        failureThreshold: 150
      livenessProbe:
        httpGet: {path: /livez, port: admin}
        periodSeconds: 10
      readinessProbe:
        httpGet: {path: /readyz, port: admin}
        periodSeconds: 5
      resources:
        {{- toYaml (index $values .component).resources | nindent 8 }}
{{- end }}

{{/*
The parts that workers and the test share, of a pod and of its container. `connects`: set Temporal's variables
here. Otherwise the Worker Controller sets them and mounts the certificates at the same path.
*/}}
{{- define "seedance-archiver.podSpec" -}}
{{- $values := .root.Values -}}
{{- with $values.imagePullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
serviceAccountName: {{ include "seedance-archiver.serviceAccountName" .root }}
automountServiceAccountToken: false
securityContext:
  {{- toYaml $values.podSecurityContext | nindent 2 }}
{{- with $values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
volumes:
  {{- include "seedance-archiver.volumes" .root | trim | nindent 2 }}
  {{- if and .connects $values.temporal.tls.secret }}
  - name: temporal-tls
    secret: {secretName: {{ $values.temporal.tls.secret }}, defaultMode: 0440}
  {{- end }}
  {{- with $values.temporal.tls.caSecret }}
  - name: temporal-ca
    secret: {secretName: {{ . }}, defaultMode: 0440, items: [{key: ca.crt, path: ca.crt}]}
  {{- end }}
{{- end }}

{{- define "seedance-archiver.container" -}}
{{- $values := .root.Values -}}
image: {{ include "seedance-archiver.image" .root }}
imagePullPolicy: {{ $values.image.pullPolicy }}
securityContext:
  {{- toYaml $values.securityContext | nindent 2 }}
env:
  {{- include "seedance-archiver.env" .root | nindent 2 }}
  {{- if .connects }}
  {{- include "seedance-archiver.temporalEnv" .root | nindent 2 }}
  {{- end }}
{{- with $values.envFromSecrets }}
envFrom:
  {{- range . }}
  - secretRef: {name: {{ . }}}
  {{- end }}
{{- end }}
volumeMounts:
  {{- include "seedance-archiver.volumeMounts" .root | trim | nindent 2 }}
  {{- if and .connects $values.temporal.tls.secret }}
  - {name: temporal-tls, mountPath: /etc/temporal/tls, readOnly: true}
  {{- end }}
  {{- if $values.temporal.tls.caSecret }}
  - {name: temporal-ca, mountPath: /etc/temporal/ca, readOnly: true}
  {{- end }}
{{- end }}
