{{- define "pgask.name" -}}
{{- $name := ternary .Release.Name (printf "%s-%s" .Release.Name .Chart.Name) (contains .Chart.Name .Release.Name) -}}
{{- $name | trunc 50 | trimSuffix "-" -}}
{{- end }}

{{- define "pgask.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "pgask.labels" -}}
{{ include "pgask.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "pgask.image" -}}
{{ required "image.repository: build pgask's Dockerfile and name where you pushed it" .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{/* Settings of every pod. The hook can't read a ConfigMap: there is none yet when it runs first. */}}
{{- define "pgask.environment" -}}
- name: PGASK_HOME
  value: /models/pgask
- name: PGASK_HOST
  value: 0.0.0.0
- name: PGASK_PORT
  value: "8000"
- name: PGASK_DATABASE_URL
  valueFrom: {secretKeyRef: {name: {{ .Values.database.secret }}, key: {{ .Values.database.urlKey }}}}
{{- range $name, $value := .Values.settings }}
- name: PGASK_{{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- range .Values.secretSettings }}
- name: PGASK_{{ .name }}
  valueFrom: {secretKeyRef: {name: {{ .secret }}, key: {{ .key }}}}
{{- end }}
{{- end }}

{{- define "pgask.podSecurity" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  seccompProfile: {type: RuntimeDefault}
{{- with .Values.imagePullSecrets }}
imagePullSecrets: {{ toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "pgask.containerSecurity" -}}
image: {{ include "pgask.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
volumeMounts:
  - {name: temporary, mountPath: /tmp}
  - {name: models, mountPath: /models}
{{- end }}

{{- define "pgask.volumes" -}}
volumes:
  - name: temporary
    emptyDir: {sizeLimit: {{ .Values.temporary.sizeLimit }}}
  - name: models
    {{- if .Values.models.claim }}
    persistentVolumeClaim: {claimName: {{ .Values.models.claim }}}
    {{- else }}
    emptyDir: {}
    {{- end }}
{{- end }}

{{- define "pgask.placement" -}}
{{- with .nodeSelector }}
nodeSelector: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .affinity }}
affinity: {{ toYaml . | nindent 2 }}
{{- end }}
{{- end }}
