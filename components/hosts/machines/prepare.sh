# Makes a machine ready for a unit: packages, account, directories, and the note whose machine it is. Run as root by
# `sh -s`, with its parameters (`us_…`) as assignments before it; plain POSIX sh, because python comes with the packages.
# It changes nothing and says nothing where everything is there. See `machineHost.ts` for the parameters.

us_books=/var/lib/understudy-host

say() { printf '%s: %s\n' "$us_host" "$*" >&2; }
fail() { say "$*"; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }
last_line() { sed -n '/[^[:space:]]/h;${x;p;}' "$1"; }

# ---------------------------------------------------------------------------------------------------- whose machine

owner_line() { printf '{"deployment":"%s","host":"%s","address":"%s"}' "$us_deployment" "$us_host" "$us_address"; }

word_of() { sed -n "s/.*\"$2\":\"\([^\"]*\)\".*/\1/p" "$1"; }

release() { printf 'If nobody needs what is there: `rm -r %s`, and move %s away' "$us_books" "$us_data"; }

check_owner() {
  for note in "$us_books"/owner "$us_books"/owner-dns; do
    [ -e "$note" ] || continue
    deployment=$(word_of "$note" deployment); host=$(word_of "$note" host)
    [ "$deployment" = "$us_deployment" ] ||
      fail "this machine belongs to the deployment \"$deployment\" (its host $host). $(release)"
    [ "$note" != "$us_owner_file" ] || [ "$host" = "$us_host" ] ||
      fail "this machine is the host $host of this deployment, with data of its own. $(release)"
  done
  [ -e "$us_owner_file" ] && return
  if [ -n "$(ls -A "$us_data" 2>/dev/null)" ]; then
    fail "$us_data is not empty, and nothing says that it is this deployment's. It is never overwritten: move it away"
  fi
}

make_books() {
  # shellcheck disable=SC2174 # its parent is there
  mkdir -p -m 0700 "$us_books" || fail "cannot make $us_books"
  chmod 0700 "$us_books"
  # shellcheck disable=SC2174
  mkdir -p -m 0700 "$us_books/manifests" || fail "cannot make $us_books/manifests"
  exec 9>"$us_books/lock"
  flock -w 600 9 || fail "another run has held $us_books/lock for 600 s; see what it waits for"
}

# ------------------------------------------------------------------------------------------------------------ files

# put PATH MODE CONTENT: the old file or the new one, never half of one. Sets `changed`.
put() {
  changed=
  if [ -f "$1" ] && [ "$(cat "$1")" = "$3" ] && [ "$(stat -c '%a %u:%g' "$1")" = "$2 0:0" ]; then return; fi
  mkdir -p "${1%/*}" || fail "cannot make ${1%/*}"
  if ! { (umask 077; printf '%s\n' "$3" | cat >"$1.understudy-new") && chmod "$2" "$1.understudy-new" &&
    sync "$1.understudy-new" && mv -f "$1.understudy-new" "$1" && sync "${1%/*}"; } 2>"$us_tmp/problem"; then
    rm -f "$1.understudy-new"
    fail "cannot write $1: $(last_line "$us_tmp/problem"). What was there is whole; mend that and run \`pulumi up\` again"
  fi
  changed=1
}

# ours PATH MODE CONTENT: a file that the manifest lists. An empty content is no file.
ours() {
  if [ -z "$3" ]; then
    changed=
    if [ -e "$1" ]; then rm -f "$1"; changed=1; fi
    return
  fi
  put "$1" "$2" "$3"
  printf '%s 0%s 0:0 %s\n' "$(sha256sum <"$1" | cut -d ' ' -f 1)" "$2" "$1" >>"$us_tmp/manifest"
}

own_sources() {
  for list in /etc/apt/sources.list /etc/apt/sources.list.d/*; do
    [ ! -f "$list" ] || [ "$list" = /etc/apt/sources.list.d/understudy.sources ] || cat "$list"
  done
}

configuration() {
  : >"$us_tmp/manifest"
  new_sources=
  preferences=$us_preferences
  # A server that the machine's own sources name too is not held back: that would hold back the machine.
  if [ -n "$us_mirror_host" ] && own_sources | grep -v '^ *#' | grep -qF "//$us_mirror_host/"; then preferences=; fi
  if [ -n "$us_sources" ] || ! grep -qs ' /etc/apt/sources.list.d/understudy.sources$' "$us_books"/manifests/*; then
    ours /etc/apt/sources.list.d/understudy.sources 644 "$us_sources"; new_sources=$changed
    ours /etc/apt/preferences.d/understudy 644 "$preferences"; new_sources=$new_sources$changed
    # A run that was cut off, or did not take the mirror, has not listed it: then it is asked again.
    if [ -n "$us_sources" ]; then
      grep -qsxF "$(grep ' /etc/apt/sources.list.d/understudy.sources$' "$us_tmp/manifest")" "$us_manifest" || new_sources=1
    fi
  elif grep -qs ' /etc/apt/sources.list.d/understudy.sources$' "$us_manifest"; then
    ours /etc/apt/sources.list.d/understudy.sources 644 ""; new_sources=1
    ours /etc/apt/preferences.d/understudy 644 ""
  fi
  # Otherwise the package makes a database of its own and starts it, and every later upgrade of it could.
  if [ -n "$us_clusters" ]; then
    ours /etc/postgresql-common/createcluster.d/understudy.conf 644 \
      "# Rendered by Understudy; edits are overwritten.
create_main_cluster = false"
  fi
  # A library's upgrade must not restart a database at night.
  # shellcheck disable=SC2016 # perl's variable
  ours /etc/needrestart/conf.d/understudy.conf 644 \
    '# Rendered by Understudy; edits are overwritten.
$nrconf{override_rc}{qr(^understudy-)} = 0;'
}

# --------------------------------------------------------------------------------------------------------- packages

apt() {
  DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 APT_LISTCHANGES_FRONTEND=none LC_ALL=C \
    apt-get -q -y -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 -o APT::Update::Error-Mode=any \
    -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@" >"$us_tmp/apt" 2>&1
}

why_apt() { grep '^[EW]: ' "$us_tmp/apt" | tail -n 3 | tr '\n' ' '; }

missing_packages() {
  # shellcheck disable=SC2086 # a list of words
  installed=$(LC_ALL=C dpkg-query -W -f '${Package}=${db:Status-Status} ' $us_packages $us_optional 2>/dev/null)
  {
    for package in $us_packages; do
      case " $installed" in *" $package=installed "*) ;; *) printf '%s ' "$package" ;; esac
    done
    # Some distributions have these as a part of another.
    for package in $us_optional; do
      case " $installed" in *" $package=installed "*) continue ;; esac
      if apt-cache show "$package" >/dev/null 2>&1; then printf '%s ' "$package"; fi
    done
  } | sed 's/ $//'
}

half_installed() { [ -n "$(dpkg --audit 2>/dev/null)" ] || [ -n "$(ls /var/lib/dpkg/updates 2>/dev/null)" ]; }

# dpkg that was cut off finishes what it began, or says what keeps it from that.
finish_dpkg() {
  half_installed || return 0
  DEBIAN_FRONTEND=noninteractive dpkg --force-confdef --force-confold --configure -a >"$us_tmp/apt" 2>&1
  [ -n "$(dpkg --audit 2>/dev/null)" ] || return 0
  apt --fix-broken install || fail "packages on it are half installed, and apt cannot finish them: $(why_apt)Run \`apt-get --fix-broken install\` there"
}

update_lists() {
  attempt=1
  until apt update; do
    # The lists have a lock of their own, which apt does not wait for.
    if [ $attempt -lt 60 ] && grep -q 'Could not get lock' "$us_tmp/apt"; then
      attempt=$((attempt + 1)); sleep 5; continue
    fi
    # A source of the machine's own may be down without being needed.
    update_problem=$(why_apt)
    return 1
  done
  update_problem=
}

# Before anything comes from it, or from somewhere else in its stead. A mirror that is down may not be needed; one that
# somebody else has signed is no mistake of the network's.
ask_mirror() {
  [ -n "$us_sources" ] && [ -n "$new_sources" ] && have apt-get || return 0
  updated=1
  update_lists && return
  said=$(grep -F "$us_mirror_url $us_mirror_suite " "$us_tmp/apt" | grep -iE 'signature|not signed|GPG error' | head -n 1)
  if [ -n "$said" ]; then
    # apt would complain of it in every run from now on.
    rm -f /etc/apt/sources.list.d/understudy.sources /etc/apt/preferences.d/understudy
    fail "the package mirror $us_mirror_url ($us_mirror_suite) is not signed with the key in \`packageMirror.key\` (${said#?: }). Correct the key, or find out who changed the mirror. Nothing was installed"
  fi
  if grep -qF "$us_mirror_url/dists/$us_mirror_suite/" "$us_tmp/apt" || grep -qF "'$us_mirror_url $us_mirror_suite " "$us_tmp/apt"; then
    say "the package mirror $us_mirror_url ($us_mirror_suite) could not be asked ($update_problem), so packages come from the machine's own sources if those have them"
  fi
}

# Nothing is installed beside a version that cannot be used: what is there is judged, and what apt would take.
check_versions() {
  too_old=
  for wanted in $us_minimums; do
    package=${wanted%%=*}; minimum=${wanted#*=}
    found=$(dpkg-query -W -f '${db:Status-Status} ${Version}' "$package" 2>/dev/null)
    case $found in
      "installed "*) found=${found#installed }; where="is installed: upgrade it there, or remove it so that it is installed anew" ;;
      *)
        found=$(LC_ALL=C apt-cache policy "$package" 2>/dev/null | sed -n 's/^ *Candidate: //p')
        where="is what its sources have: name a newer source in \`packageMirror\`"
        case $found in '' | '(none)') continue ;; esac ;;
    esac
    dpkg --compare-versions "$found" ge "$minimum" || too_old="$too_old; $package $found $where; $minimum or newer is needed"
  done
  [ -z "$too_old" ] || { let_go; fail "${too_old#; }. Nothing was installed"; }
}

install_packages() {
  missing=$(missing_packages)
  [ -n "$missing" ] || { check_versions; return 0; }
  have apt-get || fail "it has no apt-get; Debian 12 and 13 and Ubuntu 24.04 are supported"
  hold_back
  finish_dpkg
  if [ -z "$updated" ] && { [ -n "$new_sources" ] || ! ls /var/lib/apt/lists/*Packages* >/dev/null 2>&1; }; then
    update_lists
    updated=1
  fi
  missing=$(missing_packages)
  check_versions
  # shellcheck disable=SC2086 # a list of words
  if ! apt install --no-install-recommends $missing; then
    # Lists that are old name files that are not there any more.
    if [ -n "$updated" ] || { update_lists; check_versions; ! apt install --no-install-recommends $missing; }; then
      let_go
      fail "packages cannot be installed ($missing): $(why_apt)$update_problem"
    fi
  fi
  let_go
  missing=$(missing_packages)
  [ -z "$missing" ] || fail "apt-get ended well, and these packages are not installed: $missing"
}

# Services of packages that are about to be installed: they must not start, and must not at the next boot either. An
# installation that was cut off has left its services there; one that runs is somebody's.
hold_back() {
  held_back=
  for service in $us_not_started; do
    [ ! -e "/etc/systemd/system/$service" ] || continue
    if [ -e "/usr/lib/systemd/system/$service" ]; then
      half_installed && ! systemctl is-active --quiet "$service" || continue
    fi
    ln -s /dev/null "/etc/systemd/system/$service" && held_back="$held_back $service"
  done
  [ -z "$held_back" ] || systemctl daemon-reload
}

let_go() {
  [ -n "$held_back" ] || return 0
  for service in $held_back; do rm -f "/etc/systemd/system/$service"; done
  systemctl daemon-reload
  # shellcheck disable=SC2086
  systemctl disable --quiet $held_back 2>/dev/null
  held_back=
}

# They keep their version until somebody changes it on purpose: an upgrade replaces the running server's files.
hold_packages() {
  # shellcheck disable=SC2086 # a list of words
  held=$(LC_ALL=C dpkg-query -W -f '${Package}=${db:Status-Want} ' $us_held 2>/dev/null)
  for package in $us_held; do
    case " $held" in *" $package=hold "*) continue ;; esac
    apt-mark hold "$package" >"$us_tmp/apt" 2>&1 || fail "cannot hold $package: $(last_line "$us_tmp/apt")"
  done
}

# AppArmor knows where Debian's name server has its files; ours has others.
admit_name_server() {
  profile=/etc/apparmor.d/usr.sbin.named
  [ "$us_program" = dns ] && [ -e "$profile" ] || return 0
  local_part=/etc/apparmor.d/local/usr.sbin.named
  grep -qs "$us_config" "$local_part" && return
  put "$local_part" 644 "$(cat "$local_part" 2>/dev/null)
# Understudy
  $us_config/** r,
  $us_data/** rwk,
  $us_data/ rw,"
  if have apparmor_parser && [ "$(cat /sys/module/apparmor/parameters/enabled 2>/dev/null)" = Y ]; then
    apparmor_parser -r "$profile" 2>"$us_tmp/apt" || fail "AppArmor does not take $local_part: $(last_line "$us_tmp/apt")"
  fi
}

# ------------------------------------------------------------------------------------------------------ directories

# directory PATH MODE OWNER
directory() {
  [ -L "$1" ] && fail "$1 is a link; a directory has to be there"
  [ -d "$1" ] || mkdir -m "$2" "$1" || fail "cannot make $1"
  [ "$(stat -c '%a %U:%G' "$1")" = "$2 $3" ] || { chown "$3" "$1" && chmod "$2" "$1"; } || fail "cannot give $1 to $3"
}

make_directories() {
  id "$us_account" >/dev/null 2>&1 || fail "there is no account $us_account, which its packages should have made"
  directory "$us_config" 750 "root:$us_account"
  directory "$us_data" "$us_data_mode" "$us_account:$us_account"
}

main() {
  export LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
  held_back='' update_problem='' updated=''
  check_owner
  make_books
  us_tmp=$(mktemp -d) || fail "cannot make a temporary directory"
  trap 'let_go; rm -rf "$us_tmp"' EXIT
  trap 'exit 1' HUP INT TERM
  # First: if the rest fails, it is known whose attempt it was.
  put "$us_owner_file" 600 "$(owner_line)"
  configuration
  ask_mirror
  install_packages
  hold_packages
  admit_name_server
  make_directories
  # Last: a run that was cut off has no manifest, or the old one.
  put "$us_manifest" 600 "$(cat "$us_tmp/manifest")"
}
