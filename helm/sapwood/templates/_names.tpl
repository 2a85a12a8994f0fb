{{- define "sapwood.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "sapwood.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- $name := include "sapwood.name" . -}}
{{- (contains $name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name $name)) | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "sapwood.selectorLabels" -}}
app.kubernetes.io/name: {{ include "sapwood.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "sapwood.labels" -}}
{{ include "sapwood.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "sapwood.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ default $.Chart.AppVersion .tag }}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "sapwood.serviceAccountName" -}}
{{- default (.Values.serviceAccount.create | ternary (include "sapwood.fullname" .) "default") .Values.serviceAccount.name -}}
{{- end -}}

{{- /* The ConfigMap with the key sapwood.yaml. */ -}}
{{- define "sapwood.configMapName" -}}
{{- default (include "sapwood.fullname" .) .Values.existingConfigMap -}}
{{- end -}}

{{- /* The names by which the admin port's own Service is addressed. */ -}}
{{- define "sapwood.adminHosts" -}}
{{- $name := printf "%s-admin" (include "sapwood.fullname" .) -}}
{{- $scoped := printf "%s.%s" $name .Release.Namespace -}}
{{- $own := list $name $scoped (printf "%s.svc" $scoped) (printf "%s.svc.cluster.local" $scoped) -}}
{{- concat $own .Values.admin.hosts | join "," -}}
{{- end -}}
