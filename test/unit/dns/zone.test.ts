import { describe, expect, test } from "vitest";
import {
  initialZone,
  keyFile,
  namedConf,
  nameServerFiles,
  startScript,
} from "../../../components/dns/zone.ts";
import { pair } from "../postgres/sample.ts";

// Byte for byte: a changed byte makes every name server of every deployment reload.
test("named.conf", () => {
  expect(namedConf(pair())).toBe(`// Rendered by Understudy; edits are overwritten.
include "/etc/understudy-dns/secrets/tsig.key";

options {
	directory "/var/lib/understudy-dns";
	listen-on port 53 { any; };
	listen-on port 5353 { any; };
	listen-on-v6 { none; };
	// It serves its zone, asks nobody, and tells nobody what it is.
	recursion no;
	allow-query { any; };
	allow-query-cache { none; };
	allow-transfer { none; };
	notify no;
	empty-zones-enable no;
	dnssec-validation no;
	version none;
	hostname none;
	server-id none;
	minimal-responses yes;
};

// No remote control; the unit reloads it by a signal.
controls { };

zone "ha.example.test" {
	type primary;
	file "ha.example.test.zone";
	allow-transfer { key "understudy.ha.example.test"; };
	// Addresses below the zone and nothing else. Not a list of names: when a site is removed, this file changes
	// first, and its name could not be removed any more.
	update-policy { grant "understudy.ha.example.test" wildcard *.ha.example.test. A AAAA; };
	// Changes are in the journal at once; this bounds what a restart has to replay.
	max-journal-size 1m;
};
`);
});

test("the zone's first content has no name that moves, and forgets a missing name as fast as the floating one", () => {
  expect(
    initialZone(pair({ names: { ttlSeconds: 9 } })),
  ).toBe(`; Rendered by Understudy; edits are overwritten. Used once, to make the zone.
$ORIGIN ha.example.test.
$TTL 60
@ IN SOA ns.ha.example.test. hostmaster.ha.example.test. 1 3600 600 604800 9
@ IN NS ns.ha.example.test.
ns.ha.example.test. IN A 10.86.0.2
`);
});

describe("secrets", () => {
  test("are in the key's file alone", () => {
    const deployment = pair();
    expect(keyFile(deployment, "c2VjcmV0")).toBe(
      'key "understudy.ha.example.test" {\n\talgorithm hmac-sha256;\n\tsecret "c2VjcmV0";\n};\n',
    );
    expect(JSON.stringify(nameServerFiles(deployment))).not.toContain("algorithm");
  });
});

test("nothing depends on who is active: a failover touches no file of the name server", () => {
  expect(nameServerFiles(pair({ active: "site-b" }))).toEqual(nameServerFiles(pair({ active: "site-a" })));
});

test("the start script makes the zone only where there is none", () => {
  expect(startScript(pair())).toContain(
    '[ -e "$zone" ] || { cp /etc/understudy-dns/initial.zone "$zone.new" && mv "$zone.new" "$zone"; } || exit 1\n',
  );
});
