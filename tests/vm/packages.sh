# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Sourced by the scripts of the VM test bed and by tools/kernel.

# The cache: kernels, modules and initramfs images that are too big or too slow
# to make for each run. Never inside the source tree. Safe to delete while
# nothing runs.
# shellcheck disable=SC2034  # used by the scripts that source this file
SABOT_CACHE=${SABOT_CACHE:-/var/cache/sabot}

# need_packages PACKAGE...: installs the Debian packages that are missing.
# Asks dpkg only (some 20 ms) when there is nothing to do.
need_packages() {
  local package missing=()
  for package in "$@"; do
    [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] ||
      missing+=("$package")
  done
  ((${#missing[@]})) || return 0
  echo "installing ${missing[*]}" >&2
  # The first try may fail only because the package lists are absent or stale.
  local install=(env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=600
    install -y -q --no-install-recommends "${missing[@]}")
  "${install[@]}" >/dev/null 2>&1 && return 0
  apt-get update -q >&2
  "${install[@]}" >&2
}
