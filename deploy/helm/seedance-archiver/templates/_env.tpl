{{- define "seedance-archiver.env" -}}
- {name: SEEDANCE_ADMIN_ADDRESS, value: "0.0.0.0:9464"}
- {name: SEEDANCE_ARCHIVE_URL, value: {{ .Values.archive.url | quote }}}
{{- if .Values.seedance.apiKeySecret.name }}
- {name: SEEDANCE_API_KEY_FILE, value: /run/secrets/seedance/{{ .Values.seedance.apiKeySecret.key }}}
{{- else }}
- {name: SEEDANCE_ACCOUNTS_FILE, value: /run/secrets/seedance-accounts/{{ .Values.seedance.accountsSecret.key }}}
{{- end }}
{{- with .Values.seedance.sealKeysSecret }}
{{- if .name }}
- {name: SEEDANCE_SEAL_KEYS_FILE, value: /run/secrets/seedance-seal-keys/{{ .key }}}
{{- end }}
{{- end }}
{{- /* Set on every pod; only workers of the query role listen. */}}
{{- if .Values.callbacks.enabled }}
- {name: SEEDANCE_INGRESS_ADDRESS, value: "0.0.0.0:{{ .Values.callbacks.port }}"}
{{- end }}
{{- if include "seedance-archiver.callbacksTokenMounted" . }}
- {name: SEEDANCE_CALLBACK_TOKEN_FILE, value: /run/secrets/seedance-callbacks/{{ .Values.callbacks.tokenSecret.key }}}
{{- end }}
{{- /* An accounts file has the URL of each account. */}}
{{- if and .Values.callbacks.ingress.enabled .Values.seedance.apiKeySecret.name (not .Values.env.SEEDANCE_CALLBACK_URL) }}
- {name: SEEDANCE_CALLBACK_URL, value: "https://{{ .Values.callbacks.ingress.host }}"}
{{- end }}
- {name: SEEDANCE_GRACE_PERIOD, value: {{ .Values.gracePeriodSeconds }}s}
- {name: TEMPORAL_TASK_QUEUE, value: {{ .Values.temporal.taskQueue | quote }}}
{{- with .Values.temporal.tls }}
{{- if .caSecret }}
- {name: TEMPORAL_TLS_SERVER_CA_CERT_PATH, value: /etc/temporal/ca/ca.crt}
{{- else if .ca }}
- {name: TEMPORAL_TLS_SERVER_CA_CERT_PATH, value: /etc/temporal/tls/ca.crt}
{{- end }}
{{- end }}
{{- range $name, $value := .Values.env }}
- {name: {{ $name }}, value: {{ $value | quote }}}
{{- end }}
{{- end }}

{{- define "seedance-archiver.temporalEnv" -}}
{{- with .Values.temporal -}}
- {name: TEMPORAL_ADDRESS, value: {{ .address | quote }}}
- {name: TEMPORAL_NAMESPACE, value: {{ .namespace | quote }}}
{{- if .apiKeySecret.name }}
- name: TEMPORAL_API_KEY
  valueFrom:
    secretKeyRef: {name: {{ .apiKeySecret.name }}, key: {{ .apiKeySecret.key }}}
{{- end }}
{{- if .tls.secret }}
- {name: TEMPORAL_TLS_CLIENT_CERT_PATH, value: /etc/temporal/tls/tls.crt}
- {name: TEMPORAL_TLS_CLIENT_KEY_PATH, value: /etc/temporal/tls/tls.key}
{{- end }}
{{- if .tls.serverName }}
- {name: TEMPORAL_TLS_SERVER_NAME, value: {{ .tls.serverName | quote }}}
{{- end }}
{{- end }}
{{- end }}
