{{/* Secrets are mounted as files, readable by the group 65532 and updated without a restart. */}}
{{- define "seedance-archiver.volumes" -}}
{{- if .Values.seedance.apiKeySecret.name }}
- name: seedance
  secret:
    secretName: {{ .Values.seedance.apiKeySecret.name }}
    defaultMode: 0440
    items: [{key: {{ .Values.seedance.apiKeySecret.key }}, path: {{ .Values.seedance.apiKeySecret.key }}}]
{{- else }}
- name: seedance-accounts
  secret: {secretName: {{ .Values.seedance.accountsSecret.name }}, defaultMode: 0440}
{{- end }}
{{- with .Values.seedance.sealKeysSecret }}
{{- if .name }}
- name: seedance-seal-keys
  secret: {secretName: {{ .name }}, defaultMode: 0440, items: [{key: {{ .key }}, path: {{ .key }}}]}
{{- end }}
{{- end }}
{{- if include "seedance-archiver.callbacksTokenMounted" . }}
- name: seedance-callbacks
  secret: {secretName: {{ .Values.callbacks.tokenSecret.name }}, defaultMode: 0440}
{{- end }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "seedance-archiver.volumeMounts" -}}
{{- if .Values.seedance.apiKeySecret.name }}
- {name: seedance, mountPath: /run/secrets/seedance, readOnly: true}
{{- else }}
- {name: seedance-accounts, mountPath: /run/secrets/seedance-accounts, readOnly: true}
{{- end }}
{{- if .Values.seedance.sealKeysSecret.name }}
- {name: seedance-seal-keys, mountPath: /run/secrets/seedance-seal-keys, readOnly: true}
{{- end }}
{{- if include "seedance-archiver.callbacksTokenMounted" . }}
- {name: seedance-callbacks, mountPath: /run/secrets/seedance-callbacks, readOnly: true}
{{- end }}
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end }}
