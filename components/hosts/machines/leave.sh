# Takes a unit off a machine: service, configuration with its secrets, firewall, sources, holds. Its data stays unless
# `us_wipe`. Run as root by `sh -s`, with its parameters as assignments before it (see `leave.ts`).
# It does what is left to do: a machine that is half cleared, or not ours any more, is no error.

us_books=/var/lib/understudy-host
us_units=/etc/systemd/system

say() { printf '%s: %s\n' "$us_host" "$*" >&2; }
fail() { say "$*"; exit 1; }
word_of() { sed -n "s/.*\"$2\":\"\([^\"]*\)\".*/\1/p" "$1"; }

is_ours() {
  [ -e "$us_owner_file" ] || return 1
  [ "$(word_of "$us_owner_file" deployment)" = "$us_deployment" ] || return 1
  [ "$(word_of "$us_owner_file" host)" = "$us_host" ] || return 1
  # A machine that only got another address is the host of that address now.
  [ "$(word_of "$us_owner_file" address)" = "$us_address" ]
}

is_down() {
  case $(systemctl show --property ActiveState "$us_unit" | cut -d = -f 2) in inactive | failed) return 0 ;; esac
  return 1
}

stop_service() {
  systemctl disable --quiet "$us_unit" 2>/dev/null
  systemctl stop --no-block "$us_unit" 2>/dev/null
  waited=0
  until is_down; do
    [ $waited -lt $((us_stop_seconds * 5)) ] ||
      fail "$us_unit is still stopping after $us_stop_seconds s and is left to; nothing was removed"
    sleep 0.2
    waited=$((waited + 1))
  done
  systemctl reset-failed "$us_unit" 2>/dev/null
}

remove_firewall() {
  rm -f "/etc/understudy-firewall/$us_program.chain"
  if ls /etc/understudy-firewall/*.chain >/dev/null 2>&1; then
    systemctl reload-or-restart understudy-firewall.service
    return
  fi
  systemctl disable --quiet --now understudy-firewall.service 2>/dev/null
  rm -rf /etc/understudy-firewall "$us_units/understudy-firewall.service"
}

# The manifests of this host: the ones that list something of its unit, and the one of its preparation.
own_manifests() {
  grep -lE " ($us_config/.*|$us_units/$us_unit)\$" "$us_books"/manifests/* 2>/dev/null
  [ ! -e "$us_books/manifests/$us_host-machine" ] || printf '%s\n' "$us_books/manifests/$us_host-machine"
}

# What the manifest of another host lists as well stays its.
remove_listed() {
  own_manifests | sort -u >"$us_tmp/own"
  while IFS= read -r manifest; do cut -d ' ' -f 4- "$manifest"; done <"$us_tmp/own" | sort -u >"$us_tmp/listed"
  while IFS= read -r manifest; do rm -f "$manifest"; done <"$us_tmp/own"
  cat "$us_books"/manifests/* 2>/dev/null | cut -d ' ' -f 4- | sort -u >"$us_tmp/others"
  comm -23 "$us_tmp/listed" "$us_tmp/others" | while IFS= read -r path; do
    case $path in /etc/understudy-firewall/* | */understudy-firewall.service) continue ;; esac
    rm -f "$path"
  done
  rm -rf "$us_config" "$us_units/$us_unit.d" "$us_books/installed-$us_unit" "$us_books/pending-$us_unit"
}

remove_apparmor() {
  part=/etc/apparmor.d/local/usr.sbin.named
  [ "$us_program" = dns ] && grep -qs '^# Understudy$' "$part" || return 0
  sed -i '/^# Understudy$/,/^$/d' "$part"
}

data() {
  if [ -n "$us_wipe" ]; then
    rm -rf "$us_data" || fail "cannot remove $us_data"
    rm -f "$us_owner_file"
    if [ -z "$(ls -A "$us_books/manifests" 2>/dev/null)" ] && ! ls "$us_books"/owner* >/dev/null 2>&1; then
      # What was set aside on it is somebody's.
      rm -rf "$us_books/lock" "$us_books/manifests"
      rmdir "$us_books" 2>/dev/null
    fi
    [ -z "$us_adopted" ] || say "$us_adopted was there before the deployment and stays; its start.conf of then is in $us_books"
    return
  fi
  for directory in $us_discarded; do rm -rf "$directory" || fail "cannot remove $directory"; done
  say "the data stays in ${us_adopted:-$us_data}, and is this host's again when it comes back into the stack"
}

main() {
  export LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
  is_ours || exit 0
  us_tmp=$(mktemp -d) || fail "cannot make a temporary directory"
  trap 'rm -rf "$us_tmp"' EXIT
  exec 9>"$us_books/lock"
  flock -w 60 9 || fail "another run holds $us_books/lock; nothing was removed"
  stop_service
  remove_firewall
  remove_listed
  remove_apparmor
  for package in $us_held; do apt-mark unhold "$package" >/dev/null 2>&1; done
  systemctl daemon-reload
  data
}
