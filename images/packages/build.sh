#!/bin/sh
# build.sh CONSUL_VERSION CONTEXT POOL: makes the packages. Both bring a service that their installation enables and starts,
# as many of Debian's do: whoever installs them has to see to it that those do not come up.
set -eu

consul_version=$1
context=$2
pool=$3
maintainer='Understudy test packages <packages@example.test>'

# service ROOT NAME DESCRIPTION COMMAND
service() {
  mkdir -p "$1/usr/lib/systemd/system" "$1/DEBIAN"
  printf '%s\n' '[Unit]' "Description=$3" '[Service]' "ExecStart=$4" '[Install]' 'WantedBy=multi-user.target' \
    >"$1/usr/lib/systemd/system/$2.service"
  cat >>"$1/DEBIAN/postinst" <<END
if [ "\$1" = configure ]; then
  deb-systemd-helper enable $2.service >/dev/null || true
  if [ -d /run/systemd/system ]; then
    systemctl --system daemon-reload || true
    deb-systemd-invoke start $2.service >/dev/null || true
  fi
fi
END
  chmod 0755 "$1/DEBIAN/postinst"
}

# package ROOT NAME VERSION ARCHITECTURE DEPENDS DESCRIPTION. Quickly: it is read once or twice, over a bridge.
package() {
  printf '%s\n' "Package: $2" "Version: $3" "Architecture: $4" "Maintainer: $maintainer" ${5:+"Depends: $5"} \
    'Section: database' 'Priority: optional' "Description: $6" >"$1/DEBIAN/control"
  dpkg-deb --root-owner-group -Zzstd -z1 --build "$1" "$pool/$2_$3_$4.deb" >/dev/null
}

mkdir -p "$pool"

# -------------------------------------------------------------------------------------------------------------- consul

root=$(mktemp -d)
chmod 0755 "$root"
mkdir -p "$root/usr/bin" "$root/DEBIAN"
install -m 0755 "$context/consul" "$root/usr/bin/consul"
cat >"$root/DEBIAN/postinst" <<'END'
#!/bin/sh
set -e
if [ "$1" = configure ] && ! getent passwd consul >/dev/null; then
  getent group consul >/dev/null || groupadd --system consul
  useradd --system --gid consul --home-dir /etc/consul.d --no-create-home --shell /bin/false consul
fi
END
service "$root" consul 'Consul agent' '/usr/bin/consul agent -dev'
package "$root" consul "$consul_version-1" "$(dpkg --print-architecture)" passwd 'service discovery and configuration'

# ------------------------------------------------------------------------------------------------------------- patroni

root=$(mktemp -d)
chmod 0755 "$root"
mkdir -p "$root/usr/bin" "$root/DEBIAN"
cd "$context"
if ls wheels/*.whl >/dev/null 2>&1; then from="--no-index --find-links wheels"; else from=""; fi
# A folder of its own: Debian's python3-consul is another, older client of the same name.
# shellcheck disable=SC2086
python3 -m pip install --quiet --no-cache-dir --disable-pip-version-check --root-user-action=ignore --no-deps \
  --require-hashes $from --target "$root/usr/lib/patroni" --requirement requirements.txt
rm -rf "$root/usr/lib/patroni/bin"
# The guard is needed: Patroni starts PostgreSQL in a process that imports this file again.
for program in patroni:__main__ patronictl:ctl; do
  module=${program#*:}
  case $module in ctl) entry='ctl(None)' ;; *) entry='main()' ;; esac
  printf '%s\n' '#!/usr/bin/python3' 'import sys' '' 'sys.path.insert(0, "/usr/lib/patroni")' \
    "from patroni.$module import ${entry%%(*}" '' 'if __name__ == "__main__":' "    $entry" >"$root/usr/bin/${program%:*}"
  chmod 0755 "$root/usr/bin/${program%:*}"
done
version=$(sed -n 's/^patroni==\([0-9.]*\) .*/\1/p' requirements.txt)
printf '%s\n' '#!/bin/sh' 'set -e' >"$root/DEBIAN/postinst"
service "$root" patroni 'Patroni' '/usr/bin/patroni /etc/patroni/config.yml'
depends=python3
for module in click dateutil prettytable psutil psycopg requests urllib3 yaml ydiff; do depends="$depends, python3-$module"; done
package "$root" patroni "$version-1" all "$depends" 'high availability for PostgreSQL'
