#!/usr/bin/env bash
# Installs what the tests need from Debian, once: as root, or with sudo. A tool that stays missing is a failure by name.
# "tools.sh prove" adds what only the proofs need, "tools.sh bench" the servers that are measured beside this one,
# "tools.sh image" what builds and runs containers.
set -euo pipefail

declare -A package=([redis-server]=redis-server [redis-cli]=redis-tools [openssl]=openssl [curl]=curl
  [promtool]=prometheus [prometheus]=prometheus [chromium]=chromium)
case "${1:-}" in
  prove) package+=([node]=nodejs [npm]=npm) ;;
  bench) package+=([wrk]=wrk [nginx]=nginx-light [varnishd]=varnish [haproxy]=haproxy [memcached]=memcached) ;;
  image) package+=([buildah]=buildah [podman]=podman [runc]=runc [catatonit]=catatonit [mmdebstrap]=mmdebstrap) ;;
esac
PATH=$PATH:/usr/sbin

missing=()
for tool in "${!package[@]}"; do
  command -v "$tool" >/dev/null || missing+=("${package[$tool]}")
done
if ((${#missing[@]})); then
  as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || { echo "missing: ${missing[*]}; install them, or run this as root" >&2; exit 1; }
    as_root=(sudo)
  fi
  export DEBIAN_FRONTEND=noninteractive
  "${as_root[@]}" apt-get update -qq
  # Debian's servers start services of their own where there is an init system: not wanted here, nor harmful.
  "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi
for tool in "${!package[@]}"; do
  command -v "$tool" >/dev/null || { echo "missing: $tool (Debian package ${package[$tool]})" >&2; exit 1; }
done
