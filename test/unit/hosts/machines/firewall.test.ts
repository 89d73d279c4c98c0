import { describe, expect, test } from "vitest";
import { chain, firewallUnit, table } from "../../../../components/hosts/machines/firewall.ts";
import { dnsUnit, postgresUnit } from "./example.ts";

describe("the rules", () => {
  test("of a node admit its ports from the addresses given, and drop attempts from others", () => {
    expect(chain("postgres", postgresUnit.listens)).toBe(`# Rendered by Understudy; edits are overwritten.
chain postgres {
	type filter hook input priority filter; policy accept;
	iifname "lo" accept
	tcp dport 5432 tcp flags & (fin | syn | rst | ack) != syn accept
	tcp dport 5432 ip saddr 10.0.0.11/32 accept
	tcp dport 5432 ip saddr 10.0.0.12/32 accept
	tcp dport 5432 ip6 saddr fd00::/8 accept
	tcp dport 5432 counter drop
}
`);
  });

  test("say nothing about a port that everybody may use", () => {
    expect(chain("dns", dnsUnit.listens)).not.toContain("dport");
  });

  test("know all of one family", () => {
    const text = chain("dns", [{ port: 53, protocol: "udp", from: ["0.0.0.0/0"] }]);
    expect(text).toContain("\tudp dport 53 meta nfproto ipv4 accept\n\tudp dport 53 counter drop\n");
    expect(text).not.toContain("flags");
  });

  test("drop for the declared ports only, whatever is declared: SSH cannot be locked out", () => {
    const rules = chain("postgres", [...postgresUnit.listens, { port: 6000, protocol: "udp", from: [] }]);
    for (const line of rules.split("\n").filter((text) => text.includes("drop"))) {
      expect(line).toMatch(/^\t(tcp dport 5432|udp dport 6000) counter drop$/);
    }
    expect(rules).toContain("policy accept");
  });

  test("do not depend on the order in which they are asked for", () => {
    const [listener] = postgresUnit.listens;
    if (!listener) throw new Error("the example has no listener");
    const other = { ...listener, from: [...listener.from].reverse() };
    expect(chain("postgres", [other])).toBe(chain("postgres", [listener]));
  });
});

test("the table is replaced in one transaction and is the only one that is named", () => {
  expect(table()).toMatchSnapshot();
  expect(table().match(/table inet \S+/g)).toEqual(Array(3).fill("table inet understudy"));
});

test("its unit is exactly this", () => {
  expect(firewallUnit(["understudy-postgres.service"])).toMatchSnapshot();
});
