# PID 1: the engine; the SSH server beside it ends with the container.
set -e
mkdir -p /run/sshd
ssh-keygen -A >/dev/null
/usr/sbin/sshd -o PermitRootLogin=prohibit-password
exec dockerd
