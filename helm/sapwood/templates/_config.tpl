{{- /* The text of sapwood.yaml. */ -}}
{{- define "sapwood.config" -}}
{{- if .Values.configFile -}}
{{ .Values.configFile }}
{{- else -}}
{{ toYaml .Values.config }}
{{- end -}}
{{- end -}}

{{- /* The same as JSON; {} where it is not known here: in a ConfigMap of yours, or in YAML that Helm cannot read and Sapwood can. */ -}}
{{- define "sapwood.known" -}}
{{- if .Values.existingConfigMap -}}
{}
{{- else if .Values.configFile -}}
{{- $read := fromYaml .Values.configFile -}}
{{ (hasKey $read "Error" | ternary dict $read) | toJson }}
{{- else -}}
{{ toJson .Values.config }}
{{- end -}}
{{- end -}}

{{- define "sapwood.isUnknown" -}}
{{- if or .Values.existingConfigMap (and .Values.configFile (eq (include "sapwood.known" .) "{}")) -}}
true
{{- end -}}
{{- end -}}

{{- /* Changes when only a restart can put the configuration to use: with watch, not for what a reload swaps. */ -}}
{{- define "sapwood.checksum" -}}
{{- $known := include "sapwood.known" . | fromJson -}}
{{- $unknown := empty $known -}}
{{- if .Values.watch -}}
{{- $known = omit $known "routes" "namespaces" "defaults" "invalidate" "warm" "cors" "enabled" "log" "tests" "timezone" "drain_timeout" -}}
{{- end -}}
{{- ($unknown | ternary .Values.configFile ($known | toJson)) | sha256sum | trunc 16 -}}
{{- end -}}

{{- /* Where things are kept; empty where that is not known here. */ -}}
{{- define "sapwood.storeUrl" -}}
{{- $said := dig "store" "url" "" (include "sapwood.known" . | fromJson) -}}
{{- $file := dig "store" "url_file" "" (include "sapwood.known" . | fromJson) -}}
{{- if .Values.store.url -}}
{{ .Values.store.url }}
{{- else if not (or .Values.store.secret.urlKey (include "sapwood.isUnknown" .) $file) -}}
{{ default "memory://" $said }}
{{- end -}}
{{- end -}}

{{- /* Whatever the schema cannot see, each in one line; every template that makes something begins with it. */ -}}
{{- define "sapwood.validate" -}}
{{- $v := .Values -}}
{{- $known := include "sapwood.known" . | fromJson -}}
{{- $standalone := eq $v.mode "standalone" -}}
{{- $given := 0 -}}
{{- range list $v.config $v.configFile $v.existingConfigMap -}}{{- if . -}}{{- $given = add1 $given -}}{{- end -}}{{- end -}}
{{- if gt (int $given) 1 -}}
{{- fail "sapwood: config, configFile, existingConfigMap: give one of them" -}}
{{- end -}}
{{- if not (or $v.upstream.url (include "sapwood.isUnknown" .) (dig "upstream" "url" "" $known)) -}}
{{- fail "sapwood: upstream.url: name the backend, here or in the configuration" -}}
{{- end -}}
{{- if eq $v.admin.listen "pod" -}}
{{- if not $v.admin.tokenSecret.name -}}
{{- fail "sapwood: admin.tokenSecret.name: an admin port that other pods can reach needs a token" -}}
{{- end -}}
{{- if and $v.networkPolicy.enabled (not $v.admin.purgers) -}}
{{- fail "sapwood: admin.purgers: name who may purge; with networkPolicy and without purgers nobody reaches the admin port" -}}
{{- end -}}
{{- else if $v.admin.purgers -}}
{{- fail (printf "sapwood: admin.purgers: nobody outside the pod reaches the admin port with admin.listen: %s; say pod" $v.admin.listen) -}}
{{- end -}}
{{- if and $v.store.secret.name (eq $v.store.secret.passwordKey "") (eq $v.store.secret.urlKey "") -}}
{{- fail "sapwood: store.secret: name its passwordKey or urlKey" -}}
{{- end -}}
{{- if and (not $v.store.secret.name) (or $v.store.secret.passwordKey $v.store.secret.urlKey) -}}
{{- fail "sapwood: store.secret.name: name the Secret" -}}
{{- end -}}
{{- if and $v.store.url $v.store.secret.urlKey -}}
{{- fail "sapwood: store.url, store.secret.urlKey: give one of them" -}}
{{- end -}}
{{- $alone := hasPrefix "memory://" (include "sapwood.storeUrl" .) -}}
{{- if and $alone (gt (int (default 1 $known.workers)) 1) -}}
{{- fail (printf "sapwood: config.workers: %d processes on memory:// would each keep their own answers and purges; name a store.url they share" (int $known.workers)) -}}
{{- end -}}
{{- $pods := $v.autoscaling.enabled | ternary $v.autoscaling.maxReplicas $v.replicas -}}
{{- if and $standalone $alone (gt (int $pods) 1) -}}
{{- fail (printf "sapwood: replicas: %d pods on memory:// would each keep their own answers and purges; name a store.url they share, or one replica" (int $pods)) -}}
{{- end -}}
{{- if and $v.autoscaling.enabled (gt (int $v.autoscaling.minReplicas) (int $v.autoscaling.maxReplicas)) -}}
{{- fail "sapwood: autoscaling.minReplicas: more than maxReplicas" -}}
{{- end -}}
{{- $needed := add (int $v.drain.timeoutSeconds) (int $v.drain.endpointsSeconds) 5 -}}
{{- if le (int $v.terminationGracePeriodSeconds) (int $needed) -}}
{{- fail (printf "sapwood: terminationGracePeriodSeconds: %d is too short to drain: say more than %d (drain.timeoutSeconds, drain.endpointsSeconds and 5)" (int $v.terminationGracePeriodSeconds) (int $needed)) -}}
{{- end -}}
{{- if ne (len (uniq (list (int $v.ports.traffic) (int $v.ports.admin) (int $v.ports.probes)))) 3 -}}
{{- fail "sapwood: ports: traffic, admin and probes need ports of their own" -}}
{{- end -}}
{{- if and (eq $v.sidecar.native "always") (semverCompare "<1.29.0-0" .Capabilities.KubeVersion.Version) -}}
{{- fail (printf "sapwood: sidecar.native: Kubernetes %s has no native sidecars; say auto" .Capabilities.KubeVersion.Version) -}}
{{- end -}}
{{- if not $standalone -}}
{{- if eq $v.monitor.kind "ServiceMonitor" -}}
{{- fail "sapwood: monitor.kind: a sidecar's Service is the backend's own; say PodMonitor" -}}
{{- end -}}
{{- if and (not $v.sidecar.podSelector) (or $v.networkPolicy.enabled (ne $v.monitor.kind "none")) -}}
{{- fail "sapwood: sidecar.podSelector: name the labels of the backend's pods, for networkPolicy and monitor" -}}
{{- end -}}
{{- end -}}
{{- end -}}
