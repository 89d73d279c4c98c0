#!/bin/sh
# Power on. systemd gets a control group tree that is this machine's alone: what Docker mounts is read-only, and what could
# be mounted from the host is every machine's, so that two systemds would take each other's services for their own.
set -eu
umount --recursive /sys/fs/cgroup 2>/dev/null || true
mount -t cgroup2 -o nosuid,nodev,noexec machine /sys/fs/cgroup
exec /lib/systemd/systemd
