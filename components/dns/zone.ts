/**
 * What the authoritative name server runs with: its configuration, the first content of its zone, and the small
 * program that starts it. Pure; no secret is in here, the key has a file of its own.
 */
import type { Account } from "../hosts/host.ts";
import type { DeploymentBase } from "../spec/model.ts";
import { ownAddressOf } from "./place.ts";

/** Not the database node's: on a machine both may be. */
export const CONFIG_DIRECTORY = "/etc/understudy-dns";
export const KEY_FILE = `${CONFIG_DIRECTORY}/secrets/tsig.key`;
export const DATA_DIRECTORY = "/var/lib/understudy-dns";

/** The account that it runs as. */
export const NAME_SERVER_ACCOUNT: Account = "bind";

/** The port that is published, above those that need a right; in the deployment's network 53 answers as well. */
/** The name of its unit; no site can have it (see the reserved site names). */
export const NAME_SERVER_UNIT = "dns";

export const NAME_SERVER_PORT = 5353;

const header = "Rendered by Understudy; edits are overwritten.";

/** The name of the server itself, and of the one TSIG key, which is worth no more than this zone. */
export function nameServerName(deployment: DeploymentBase): string {
  return `ns.${deployment.domain}`;
}

export function keyName(deployment: DeploymentBase): string {
  return `understudy.${deployment.domain}`;
}

/** Secret: the file that named.conf includes. */
export function keyFile(deployment: DeploymentBase, secret: string): string {
  return `key "${keyName(deployment)}" {\n\talgorithm hmac-sha256;\n\tsecret "${secret}";\n};\n`;
}

export function namedConf(deployment: DeploymentBase): string {
  const key = `"${keyName(deployment)}"`;
  return [
    `// ${header}`,
    `include "${KEY_FILE}";`,
    "",
    "options {",
    `\tdirectory "${DATA_DIRECTORY}";`,
    "\tlisten-on port 53 { any; };",
    `\tlisten-on port ${NAME_SERVER_PORT} { any; };`,
    "\tlisten-on-v6 { none; };",
    "\t// It serves its zone, asks nobody, and tells nobody what it is.",
    "\trecursion no;",
    "\tallow-query { any; };",
    "\tallow-query-cache { none; };",
    "\tallow-transfer { none; };",
    "\tnotify no;",
    "\tempty-zones-enable no;",
    "\tdnssec-validation no;",
    "\tversion none;",
    "\thostname none;",
    "\tserver-id none;",
    "\tminimal-responses yes;",
    "};",
    "",
    "// No remote control; the unit reloads it by a signal.",
    "controls { };",
    "",
    `zone "${deployment.domain}" {`,
    "\ttype primary;",
    `\tfile "${zoneFileName(deployment)}";`,
    `\tallow-transfer { key ${key}; };`,
    "\t// Addresses below the zone and nothing else. Not a list of names: when a site is removed, this file changes",
    "\t// first, and its name could not be removed any more.",
    `\tupdate-policy { grant ${key} wildcard *.${deployment.domain}. A AAAA; };`,
    "\t// Changes are in the journal at once; this bounds what a restart has to replay.",
    "\tmax-journal-size 1m;",
    "};",
    "",
  ].join("\n");
}

/**
 * The zone before any update: its authority and the server's own address. Everything else comes by updates and lives
 * in the journal, so that a new configuration never turns a name back.
 *
 * The last number is how long a resolver remembers that a name is not there: the floating name's TTL, because a
 * client that asks too early must not be kept out longer than one that asked in time.
 */
export function initialZone(deployment: DeploymentBase): string {
  const { domain, names } = deployment;
  const server = nameServerName(deployment);
  return [
    `; ${header} Used once, to make the zone.`,
    `$ORIGIN ${domain}.`,
    "$TTL 60",
    `@ IN SOA ${server}. hostmaster.${domain}. 1 3600 600 604800 ${names.ttlSeconds}`,
    `@ IN NS ${server}.`,
    `${server}. IN A ${ownAddressOf(names.server)}`,
    "",
  ].join("\n");
}

export function zoneFileName(deployment: DeploymentBase): string {
  return `${deployment.domain}.zone`;
}

/**
 * Makes the zone on the first start, runs the server, and reloads it when its configuration has changed: files are
 * written into the volume from outside, and a name server that is restarted for a new site would not answer meanwhile.
 * A configuration that named-checkconf refuses is not loaded, and said so.
 */
export function startScript(deployment: DeploymentBase): string {
  const zone = `${DATA_DIRECTORY}/${zoneFileName(deployment)}`;
  return `#!/bin/sh
# ${header}
conf=${CONFIG_DIRECTORY}/named.conf
zone=${zone}
fingerprint() { cat "$conf" ${KEY_FILE} 2>/dev/null | cksum; }

[ -e "$zone" ] || { cp ${CONFIG_DIRECTORY}/initial.zone "$zone.new" && mv "$zone.new" "$zone"; } || exit 1
loaded=$(fingerprint)
named -g -c "$conf" &
named=$!
trap 'kill -TERM "$named"' TERM INT
while kill -0 "$named" 2>/dev/null; do
  sleep 0.5 &
  wait $!
  found=$(fingerprint)
  if [ "$found" != "$loaded" ]; then
    named-checkconf "$conf" && kill -HUP "$named"
    loaded=$found
  fi
done
wait "$named"
`;
}

/** By file name; the key's file is added beside them, as a secret. */
export function nameServerFiles(deployment: DeploymentBase): Record<string, string> {
  return {
    "named.conf": namedConf(deployment),
    "initial.zone": initialZone(deployment),
    "start.sh": startScript(deployment),
  };
}
