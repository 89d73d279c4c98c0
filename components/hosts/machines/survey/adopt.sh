# What is in a data directory that is to be adopted, and what its server says, while that still runs. Sent before
# `facts.sh`, which calls it; it changes nothing. Names only, never a value: of a setting that could be a password.
# Parameters: US_ADOPT, US_DATA (our own directory), US_MAJOR, US_REPLICATION_ROLE, US_REWIND_ROLE, US_VERIFIER_ROLE.

inside() { say adopt "$@"; }
as_postgres() { limited runuser -u postgres -- "$@"; }

adoption() {
  [ -r "$US_ADOPT/PG_VERSION" ] || return 0
  at=$(readlink -f "$US_ADOPT")
  inside directory "$at"
  taken=$(sed -n 's/.*"directory": *"\([^"]*\)".*/\1/p' "$US_DATA/state/adopted.json" 2>/dev/null)
  [ -z "$taken" ] || inside taken "$taken"
  [ -z "$(ls -A "$US_DATA/pgdata" 2>/dev/null)" ] || inside elsewhere "$US_DATA/pgdata"
  adopted_files
  adopted_place
  adopted_server
}

adopted_files() {
  sed -n 's/^[[:space:]]*\([A-Za-z_][A-Za-z0-9_.]*\)[[:space:]]*=.*/\1/p' "$at/postgresql.auto.conf" 2>/dev/null |
    tr '[:upper:]' '[:lower:]' | sort -u | while read -r name; do inside autoconf "$name"; done
  for space in "$at"/pg_tblspc/*; do [ ! -L "$space" ] || inside tablespace "$(readlink "$space")"; done
  [ ! -L "$at/pg_wal" ] || inside wal "$(readlink "$at/pg_wal")"
  for signal in standby recovery; do [ ! -e "$at/$signal.signal" ] || inside signal "$signal"; done
  inside prepared "$(find "$at/pg_twophase" -type f 2>/dev/null | wc -l)"
  inside size "$(limited du -skx "$at" 2>/dev/null | cut -f 1)"
  as_postgres "/usr/lib/postgresql/$US_MAJOR/bin/pg_controldata" "$at" 2>/dev/null |
    sed -n 's/^\([^:]*\):[[:space:]]*\(.*\)$/\1\t\2/p' | while IFS='	' read -r word value; do
      case $word in "Database cluster state" | *" setting") inside control "$word" "$value" ;; esac
    done
}

adopted_place() {
  above=${at%/*}
  if [ "$(stat -c %d "$at")" != "$(stat -c %d "${above:-/}")" ]; then
    inside obstacle "it is the root of a file system, which cannot be renamed"
  elif ! as_postgres test -w "${above:-/}"; then
    inside obstacle "${above:-/} is not writable for the account of the node"
  fi
}

# By its own socket and its own rules of access.
adopted_server() {
  pid=; port=; folder=
  { read -r pid; read -r _; read -r _; read -r port; read -r folder; } 2>/dev/null <"$at/postmaster.pid"
  [ "$(first_line "/proc/$pid/comm")" = postgres ] || return 0
  inside server "$pid"
  as_postgres env PGCONNECT_TIMEOUT=2 PGOPTIONS='-c statement_timeout=2s' PGCLIENTENCODING=UTF8 \
    "/usr/lib/postgresql/$US_MAJOR/bin/psql" -XAtqw -F '	' -h "${folder:-/run/postgresql}" -p "$port" -U postgres \
    -d postgres -v ON_ERROR_STOP=1 -v replication="$US_REPLICATION_ROLE" -v rewind="$US_REWIND_ROLE" \
    -v verifier="$US_VERIFIER_ROLE" 2>&1 <<'SQL' | while IFS= read -r line; do inside sql "$line"; done
SELECT 'superuser', rolsuper FROM pg_roles WHERE rolname = current_user;
SELECT 'setting', name FROM pg_settings WHERE source = 'configuration file' ORDER BY 2;
WITH wish(name, wanted) AS (
  VALUES (:'replication', ARRAY['LOGIN', 'REPLICATION']), (:'rewind', ARRAY['LOGIN']), (:'verifier', ARRAY['LOGIN'])
), found AS (
  SELECT name, wanted, ARRAY(
      SELECT word FROM (VALUES ('LOGIN', rolcanlogin), ('REPLICATION', rolreplication), ('SUPERUSER', rolsuper),
        ('CREATEDB', rolcreatedb), ('CREATEROLE', rolcreaterole), ('BYPASSRLS', rolbypassrls),
        ('CONNECTION LIMIT', rolconnlimit <> -1),
        ('memberships in other roles', EXISTS (SELECT FROM pg_auth_members WHERE member = pg_roles.oid))
      ) AS has(word, is_so) WHERE is_so) AS has,
    name <> :'rewind' OR (SELECT bool_and(has_function_privilege(pg_roles.oid, f, 'EXECUTE')) FROM unnest(ARRAY[
      'pg_catalog.pg_ls_dir(text, boolean, boolean)', 'pg_catalog.pg_stat_file(text, boolean)',
      'pg_catalog.pg_read_binary_file(text)', 'pg_catalog.pg_read_binary_file(text, bigint, bigint, boolean)'
    ]) AS f) AS reads
  FROM wish JOIN pg_roles ON rolname = name
), differs AS (
  SELECT name, ARRAY(SELECT w FROM unnest(has) w EXCEPT SELECT unnest(wanted) ORDER BY 1) AS surplus,
    ARRAY(SELECT w FROM unnest(wanted) w EXCEPT SELECT unnest(has) ORDER BY 1)
      || CASE WHEN reads THEN '{}'::text[] ELSE ARRAY['EXECUTE on the functions that read the data directory'] END AS lack
  FROM found
)
SELECT 'role', name, concat_ws(' and ', 'has ' || nullif(array_to_string(surplus, ', '), ''),
  'lacks ' || nullif(array_to_string(lack, ', '), '')) FROM differs WHERE surplus <> '{}' OR lack <> '{}';
SELECT 'end';
SQL
}
