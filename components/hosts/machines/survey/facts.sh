# Facts of a machine, for `facts.ts` to read. Run as root by `sh -s`, with its parameters as assignments before it
# (see `survey.ts`); plain POSIX sh, because a bare machine may have no bash and no python. It changes nothing and
# prints no content of a file but of public ones. One fact a line: the mark, its name and its values, between tabs;
# whatever else is on stdout is somebody's banner. Whoever reads it waits for `end`, so a script that was cut short
# is told from a machine that lacks something.

say() { name=$1; shift; printf '@understudy\t%s' "$name"; for value; do printf '\t%s' "$value"; done; printf '\n'; }
have() { command -v "$1" >/dev/null 2>&1; }
# A mount that hangs or a systemd that is busy must not hold the others' facts back.
limited() { if have timeout; then timeout -s KILL 2 "$@"; else "$@"; fi; }
first_line() { line=; IFS= read -r line 2>/dev/null <"$1"; printf '%s' "$line"; }

clock() { say clock "$1" "$(date +%s.%N)"; }

distribution() {
  [ -r /etc/os-release ] || return 0
  (. /etc/os-release; say os "${ID:-}" "${VERSION_ID:-}" "${VERSION_CODENAME:-}" "${PRETTY_NAME:-}")
}

system() {
  say kernel "$(uname -r)" "$(uname -m)"
  [ -d /run/systemd/system ] && say systemd running || say systemd "$(first_line /proc/1/comm)"
  say memory "$(awk '/^MemTotal:/ { print $2 }' /proc/meminfo)" "$(first_line /sys/fs/cgroup/memory.max)"
  say cpus "$(grep -c '^processor' /proc/cpuinfo)"
  # Of this boot of this kernel: two names with the same are one machine, and no clone has the same.
  say machine "$(first_line /etc/machine-id)" "$(first_line /proc/sys/kernel/random/boot_id)$(readlink /proc/self/ns/pid)"
  for key in /etc/ssh/ssh_host_*_key.pub; do
    [ -r "$key" ] || continue
    read -r kind public _ <"$key" && say hostkey "$kind" "$public"
  done
  if [ -e /run/systemd/timesync/synchronized ]; then say ntp synchronized; else say ntp unknown; fi
  for program in python3 apt-get nft; do have $program && say program $program; done
}

# Of the nearest directory above that there is: nothing of ours has been made on a bare machine.
filesystem() {
  at=$1
  while [ ! -e "$at" ]; do at=${at%/*}; at=${at:-/}; done
  if [ -w "$at" ]; then access=writable; else access=read-only; fi
  kib=$(limited df -Pk "$at" 2>/dev/null | awk 'NR == 2 { print $2 "\t" $4 "\t" $6 }')
  inodes=$(limited df -Pi "$at" 2>/dev/null | awk 'NR == 2 { print $4 }')
  say filesystem "$1" "$access" "$inodes" "$kib"
}

# Listeners on the ports that we need: protocol, address, port, program, cgroup or account of its process.
ports() {
  if have ss; then
    limited ss -Hltunpe 2>/dev/null | awk -v wanted=" $US_PORTS " '{
      at = $5; port = at; sub(/.*:/, "", port); sub(/:[^:]*$/, "", at)
      if (index(wanted, " " $1 "/" port " ") == 0) next
      program = ""; group = ""
      if (match($0, /users:\(\("[^"]*"/)) program = substr($0, RSTART + 9, RLENGTH - 10)
      if (match($0, /cgroup:[^ ]*/)) group = substr($0, RSTART + 7, RLENGTH - 7)
      printf "@understudy\tlistener\t%s\t%s\t%s\t%s\t%s\n", $1, at, port, program, group
    }'
    return
  fi
  for protocol in tcp udp; do
    cat /proc/net/$protocol /proc/net/${protocol}6 2>/dev/null | awk -v wanted=" $US_PORTS " -v protocol=$protocol '
      function number(hex,   value, i) {
        for (i = 1; i <= length(hex); i++) value = value * 16 + index("123456789ABCDEF", toupper(substr(hex, i, 1)))
        return value
      }
      $4 == (protocol == "tcp" ? "0A" : "07") {
        split($2, local, ":"); port = number(local[2])
        if (index(wanted, " " protocol "/" port " ") == 0) next
        at = "*"
        if (length(local[1]) == 8 && local[1] != "00000000") for (i = 7; i > 0; i -= 2)
          at = (i == 7 ? "" : at ".") number(substr(local[1], i, 2))
        printf "@understudy\tlistener\t%s\t%s\t%s\t\tuid %s\n", protocol, at, port, $8
      }'
  done
}

packages() {
  have dpkg-query || return 0
  # shellcheck disable=SC2086 # a list of words
  found=$(dpkg-query -W -f '${Package}\t${Version}\t${db:Status-Want}\t${db:Status-Status}\n' $US_PACKAGES 2>/dev/null)
  printf '%s\n' "$found" | sed -n 's/^\(.*\)\tinstalled$/@understudy\tpackage\t\1/p'
  say architecture "$(dpkg --print-architecture)"
  # Only for what is not there yet: apt reads all its lists for it, which takes longer than everything else here.
  for package in $US_PACKAGES; do
    # Its own line: one that an installation left half done beside one that is installed is not there yet.
    printf '%s\n' "$found" | grep -q "^$package	.*	installed\$" && continue
    have apt-cache || continue
    say candidate "$package" "$(limited apt-cache policy "$package" 2>/dev/null | awk '/Candidate:/ { print $2 }')"
    set -- /var/lib/apt/lists/*Packages*
    [ -e "$1" ] && say lists yes || say lists no
  done
}

# A data directory: kind, path, major version, account, mode, standby or primary, process of its postmaster, its port.
cluster() {
  version=$(first_line "$2/PG_VERSION"); pid=; port=; signal=primary; stopped=
  if [ -r "$2/postmaster.pid" ]; then
    { read -r pid; read -r _; read -r _; read -r port; } <"$2/postmaster.pid"
    [ "$(first_line "/proc/$pid/comm")" = postgres ] || stopped=1
  fi
  [ -z "$stopped" ] || pid=
  if [ -e "$2/standby.signal" ] || [ -e "$2/recovery.signal" ]; then signal=standby; fi
  say cluster "$1" "$2" "$version" "$(stat -c '%U' "$2" 2>/dev/null)" "$(stat -c '%a' "$2" 2>/dev/null)" "$signal" "$pid" "$port"
}

clusters() {
  for directory in /var/lib/postgresql/*/*; do
    [ -r "$directory/PG_VERSION" ] && [ "$directory" != "$US_ADOPT" ] && cluster distribution "$directory"
  done
  [ -z "$US_ADOPT" ] || if [ -d "$US_ADOPT" ]; then cluster adopt "$US_ADOPT"; else say cluster missing "$US_ADOPT"; fi
}

# Names of what lies in our directories, never what is in it.
ours() {
  for directory in $US_DIRECTORIES; do
    [ -d "$directory" ] || continue
    say directory "$directory" "$(ls -A "$directory" 2>/dev/null | head -n 5 | tr '\n' ' ')"
  done
  for note in "$US_BOOKS"/owner*; do
    [ -r "$note" ] && say owner "${note##*/}" "$(first_line "$note")"
  done
}

units() {
  [ -d /run/systemd/system ] || return 0
  # shellcheck disable=SC2086
  limited systemctl show --property=Id,LoadState,ActiveState,UnitFileState,DropInPaths,NeedDaemonReload $US_UNITS 2>/dev/null |
    awk -F= 'function flush() {
        if (fact["Id"] != "") printf "@understudy\tunit\t%s\t%s\t%s\t%s\t%s\t%s\n", fact["Id"], fact["LoadState"], \
          fact["ActiveState"], fact["UnitFileState"], fact["NeedDaemonReload"], fact["DropInPaths"]
        split("", fact)
      }
      $0 == "" { flush(); next } { key = $1; sub(/^[^=]*=/, ""); fact[key] = $0 } END { flush() }'
  if have nft; then
    if limited nft -t list table inet understudy >/dev/null 2>&1; then say table yes; else say table no; fi
  fi
}

# Compared here, so that no checksum of a secret leaves the machine. Of configuration that others may read too, the
# recorded one is told: with it the plan knows whether an update is going to write the file.
manifests() {
  set -- "$US_BOOKS"/manifests/*
  [ -e "$1" ] || return 0
  list() { awk '/^[0-9a-f]+ / { sub(/^[^ ]+ [^ ]+ [^ ]+ /, ""); print }' "$@" | tr '\n' '\0'; }
  { list "$@" | xargs -0 sha256sum 2>/dev/null | sed 's/^/sum /'; list "$@" | xargs -0 stat -c 'stat %a %u:%g %n' 2>/dev/null; } |
    awk -v OFS='\t' '
      live != 1 && /^[0-9a-f]+ / {
        path = $0; sub(/^[^ ]+ [^ ]+ [^ ]+ /, "", path); n++; order[n] = path
        resource[n] = FILENAME; sub(/.*\//, "", resource[n]); sum[n] = $1; mode[n] = $2; owner[n] = $3; next
      }
      $1 == "sum" { path = $0; sub(/^sum [^ ]+ [ *]/, "", path); sums[path] = $2 }
      $1 == "stat" { path = $0; sub(/^stat [^ ]+ [^ ]+ /, "", path); modes[path] = $2; owners[path] = $3 }
      function drift(i, what, detail) {
        print "@understudy", "drift", resource[i], order[i], what, detail
      }
      function plain(octal) { sub(/^0+/, "", octal); return octal }
      END {
        print "@understudy", "files", n
        for (i = 1; i <= n; i++) {
          path = order[i]
          if (mode[i] !~ /00$/ && path ~ /^\/etc\/.*\.(conf|json|cfg|yml)$/) print "@understudy", "recorded", resource[i], path, sum[i]
          if (!(path in modes)) { drift(i, "missing", ""); continue }
          if (sums[path] != sum[i]) drift(i, "content", "")
          if (plain(modes[path]) != plain(mode[i])) drift(i, "mode", plain(modes[path]) " and not " plain(mode[i]))
          if (owners[path] != owner[i]) drift(i, "owner", owners[path] " and not " owner[i])
        }
      }' live=0 "$@" live=1 -
}

main() {
  export LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
  printf '\n'
  clock begin
  say root "$(id -u)"
  distribution
  system
  for directory in / /etc $US_DIRECTORIES $US_ADOPT; do filesystem "$directory"; done
  ports
  packages
  clusters
  [ -z "$US_ADOPT" ] || adoption
  ours
  units
  manifests
  clock end
  say end
}

# As a function, read to its end before anything runs: what a program would read from stdin is this script.
main </dev/null
