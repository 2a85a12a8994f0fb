#!/usr/bin/env bash
# Installs what the tests need from Debian, once: as root, or with sudo. A tool that stays missing is a failure by name.
# "tools.sh prove" adds what only the proofs need.
set -euo pipefail

declare -A package=([redis-server]=redis-server [redis-cli]=redis-tools [openssl]=openssl [curl]=curl
  [promtool]=prometheus [prometheus]=prometheus)
if [ "${1:-}" = prove ]; then
  package+=([wrk]=wrk [nginx]=nginx-light [node]=nodejs [npm]=npm)
fi
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
  # Debian's redis-server starts a service of its own where there is an init system: not wanted here.
  "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi
for tool in "${!package[@]}"; do
  command -v "$tool" >/dev/null || { echo "missing: $tool (Debian package ${package[$tool]})" >&2; exit 1; }
done
