{{- /*
What a backend's chart takes into its pod, each with the chart's own scope:

  initContainers: {{- include "sapwood.initContainers" .Subcharts.sapwood | nindent 8 }}
  containers:     {{- include "sapwood.containers" .Subcharts.sapwood | nindent 8 }}
  volumes:        {{- include "sapwood.volumes" .Subcharts.sapwood | nindent 8 }}

On a cluster with native sidecars the second is empty. An empty list item of YAML would be null, so each of them is whole
items or nothing.
*/ -}}

{{- define "sapwood.isNative" -}}
{{- if or (eq .Values.sidecar.native "always") (and (eq .Values.sidecar.native "auto") (semverCompare ">=1.29.0-0" .Capabilities.KubeVersion.Version)) -}}
true
{{- end -}}
{{- end -}}

{{- define "sapwood.initContainers" -}}
{{- include "sapwood.validate" . -}}
{{- if .Values.check.init -}}
{{ include "sapwood.checker" . }}
{{- end }}
{{- if include "sapwood.isNative" . }}
{{ include "sapwood.container" (dict "root" . "native" true) }}
{{- end }}
{{- end -}}

{{- define "sapwood.containers" -}}
{{- include "sapwood.validate" . -}}
{{- if not (include "sapwood.isNative" .) -}}
{{ include "sapwood.container" (dict "root" . "native" false) }}
{{- end -}}
{{- end -}}

{{- define "sapwood.volumes" -}}
{{- if or .Values.existingConfigMap .Values.configFile .Values.config -}}
- name: sapwood-config
  configMap: {name: {{ include "sapwood.configMapName" . }}}
{{- end }}
{{- if .Values.admin.tokenSecret.name }}
- name: sapwood-token
  secret: {secretName: {{ .Values.admin.tokenSecret.name }}}
{{- end }}
{{- if .Values.store.secret.name }}
- name: sapwood-store
  secret: {secretName: {{ .Values.store.secret.name }}}
{{- end }}
{{- if eq .Values.admin.listen "socket" }}
- name: sapwood-admin
  emptyDir: {medium: Memory, sizeLimit: 1Mi}
{{- end }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- /* For the backend's own container: the admin socket, where there is one. */ -}}
{{- define "sapwood.socketMount" -}}
{{- if eq .Values.admin.listen "socket" -}}
- {name: sapwood-admin, mountPath: /run/sapwood}
{{- end -}}
{{- end -}}

{{- /* For the backend's own container: it goes on answering while a sidecar drains. */ -}}
{{- define "sapwood.backendLifecycle" -}}
{{- $seconds := .Values.drain.endpointsSeconds -}}
{{- if not (include "sapwood.isNative" .) -}}
{{- $seconds = add .Values.drain.endpointsSeconds .Values.drain.timeoutSeconds -}}
{{- end -}}
preStop:
{{- if semverCompare ">=1.30.0-0" .Capabilities.KubeVersion.Version }}
  sleep: {seconds: {{ $seconds }}}
{{- else }}
  exec: {command: [sleep, {{ $seconds | quote }}]}
{{- end }}
{{- end -}}

{{- define "sapwood.securityContext" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{- define "sapwood.environment" -}}
- {name: SAPWOOD_LISTEN, value: {{ printf "%s:%d" .Values.bind (int .Values.ports.traffic) | quote }}}
- {name: SAPWOOD_PROBES__LISTEN, value: {{ printf "%s:%d" .Values.bind (int .Values.ports.probes) | quote }}}
{{- if eq .Values.admin.listen "socket" }}
- {name: SAPWOOD_ADMIN__LISTEN, value: "unix:/run/sapwood/admin.sock"}
- {name: SAPWOOD_ADMIN, value: "unix:/run/sapwood/admin.sock"}
{{- else }}
- {name: SAPWOOD_ADMIN__LISTEN, value: {{ printf "%s:%d" (eq .Values.admin.listen "pod" | ternary .Values.bind "127.0.0.1") (int .Values.ports.admin) | quote }}}
- {name: SAPWOOD_ADMIN, value: {{ printf "http://127.0.0.1:%d" (int .Values.ports.admin) | quote }}}
{{- end }}
{{- if eq .Values.admin.listen "pod" }}
- {name: SAPWOOD_ADMIN__HOSTS, value: {{ include "sapwood.adminHosts" . | quote }}}
{{- else if .Values.admin.hosts }}
- {name: SAPWOOD_ADMIN__HOSTS, value: {{ join "," .Values.admin.hosts | quote }}}
{{- end }}
{{- if .Values.admin.tokenSecret.name }}
- {name: SAPWOOD_ADMIN__TOKEN_FILE, value: {{ printf "/var/run/secrets/sapwood/admin/%s" .Values.admin.tokenSecret.key | quote }}}
- {name: SAPWOOD_TOKEN_FILE, value: {{ printf "/var/run/secrets/sapwood/admin/%s" .Values.admin.tokenSecret.key | quote }}}
{{- end }}
- {name: SAPWOOD_DRAIN_TIMEOUT, value: {{ printf "%ds" (int .Values.drain.timeoutSeconds) | quote }}}
{{- with .Values.upstream.url }}
- {name: SAPWOOD_UPSTREAM__URL, value: {{ . | quote }}}
{{- end }}
{{- with .Values.store.url }}
- {name: SAPWOOD_STORE__URL, value: {{ . | quote }}}
{{- end }}
{{- with .Values.store.secret.urlKey }}
- {name: SAPWOOD_STORE__URL_FILE, value: {{ printf "/var/run/secrets/sapwood/store/%s" . | quote }}}
{{- end }}
{{- with .Values.store.secret.passwordKey }}
- {name: SAPWOOD_STORE__PASSWORD_FILE, value: {{ printf "/var/run/secrets/sapwood/store/%s" . | quote }}}
{{- end }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "sapwood.hasConfig" -}}
{{- if or .Values.existingConfigMap .Values.configFile .Values.config -}}
true
{{- end -}}
{{- end -}}

{{- define "sapwood.volumeMounts" -}}
{{- if include "sapwood.hasConfig" . }}
- {name: sapwood-config, mountPath: /etc/sapwood, readOnly: true}
{{- end }}
{{- if .Values.admin.tokenSecret.name }}
- {name: sapwood-token, mountPath: /var/run/secrets/sapwood/admin, readOnly: true}
{{- end }}
{{- if .Values.store.secret.name }}
- {name: sapwood-store, mountPath: /var/run/secrets/sapwood/store, readOnly: true}
{{- end }}
{{- if eq .Values.admin.listen "socket" }}
- {name: sapwood-admin, mountPath: /run/sapwood}
{{- end }}
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "sapwood.checker" -}}
{{- if include "sapwood.hasConfig" . -}}
- name: sapwood-check
  image: {{ include "sapwood.image" . }}
  imagePullPolicy: {{ .Values.image.pullPolicy }}
  args: [check, /etc/sapwood/sapwood.yaml]
  env:
    {{- include "sapwood.environment" . | nindent 4 }}
  volumeMounts:
    {{- include "sapwood.volumeMounts" . | trim | nindent 4 }}
  resources:
    {{- toYaml .Values.resources | nindent 4 }}
  securityContext:
    {{- include "sapwood.securityContext" . | nindent 4 }}
{{- end -}}
{{- end -}}

{{- /* One item: the sidecar. Arguments: root, native. */ -}}
{{- define "sapwood.container" -}}
{{- $native := .native -}}
{{- with .root -}}
- name: sapwood
  image: {{ include "sapwood.image" . }}
  imagePullPolicy: {{ .Values.image.pullPolicy }}
  {{- if $native }}
  restartPolicy: Always
  {{- end }}
  args:
    - serve
    {{- if .Values.watch }}
    - --watch
    {{- end }}
  env:
    {{- if include "sapwood.hasConfig" . }}
    - {name: SAPWOOD_CONFIG, value: /etc/sapwood/sapwood.yaml}
    {{- end }}
    # Nobody reads it: another value is another pod.
    - {name: CONFIG_CHECKSUM, value: {{ include "sapwood.checksum" . | quote }}}
    {{- include "sapwood.environment" . | nindent 4 }}
  ports:
    - {name: sapwood, containerPort: {{ .Values.ports.traffic }}, protocol: TCP}
    - {name: sapwood-probes, containerPort: {{ .Values.ports.probes }}, protocol: TCP}
    {{- if eq .Values.admin.listen "pod" }}
    - {name: sapwood-admin, containerPort: {{ .Values.ports.admin }}, protocol: TCP}
    {{- end }}
  # The kubelet goes on to the next container only when this one has started: the backend finds it listening.
  startupProbe:
    httpGet: {path: /readyz, port: sapwood-probes}
    periodSeconds: 1
    failureThreshold: 60
  readinessProbe:
    httpGet: {path: /readyz, port: sapwood-probes}
    periodSeconds: 5
    failureThreshold: 2
  livenessProbe:
    httpGet: {path: /livez, port: sapwood-probes}
    periodSeconds: 10
    timeoutSeconds: 5
    failureThreshold: 6
  {{- if and (not $native) (gt (int .Values.drain.endpointsSeconds) 0) }}
  # Not on a native sidecar: its hook would run, and end it, before the app has ended.
  lifecycle:
    preStop:
      {{- if semverCompare ">=1.30.0-0" .Capabilities.KubeVersion.Version }}
      sleep: {seconds: {{ .Values.drain.endpointsSeconds }}}
      {{- else }}
      exec: {command: [/opt/sapwood/bin/python3, -c, "import time; time.sleep({{ .Values.drain.endpointsSeconds }})"]}
      {{- end }}
  {{- end }}
  {{- with include "sapwood.volumeMounts" . | trim }}
  volumeMounts:
    {{- . | nindent 4 }}
  {{- end }}
  resources:
    {{- toYaml .Values.resources | nindent 4 }}
  securityContext:
    {{- include "sapwood.securityContext" . | nindent 4 }}
{{- end -}}
{{- end -}}
