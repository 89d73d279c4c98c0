import { describe, expect, test } from "vitest";
import {
  dnsPolicy,
  memberPolicy,
  observerPolicy,
  patroniPolicy,
  scopePrefix,
  serviceName,
} from "../../../components/consul/aclPolicies.ts";

const access = { nodeName: "node-1", scope: "orders", namespace: "/service/", registerService: false };

describe("the policy of a Patroni", () => {
  test("covers its scope's keys and its node's sessions, exactly", () => {
    expect(patroniPolicy(access)).toEqual({
      name: "patroni-orders-node-1",
      description: "Patroni of orders on node-1",
      rules:
        'key_prefix "service/orders/" { policy = "write" }\n' +
        'session "node-1" { policy = "write" }\n' +
        'agent "node-1" { policy = "read" }\n',
    });
  });

  test("may register its service only where it does", () => {
    expect(patroniPolicy({ ...access, registerService: true }).rules).toContain(
      'service "orders" { policy = "write" }',
    );
  });

  test.each(['orders" { policy', "a b", "", "../x", "${x}", "a/b"])("refuses the scope %j", (scope) => {
    expect(() => patroniPolicy({ ...access, scope })).toThrow(JSON.stringify(scope));
  });
});

test.each([
  ["/service/", "pg", "service/pg/"],
  ["service", "pg", "service/pg/"],
  ["/prod/service/", "pg.a", "prod/service/pg.a/"],
])("the keys of namespace %s and scope %s lie below %s", (namespace, scope, prefix) => {
  expect(scopePrefix(namespace, scope)).toBe(prefix);
});

test("a scope's name in DNS is Patroni's own translation of it", () => {
  expect(serviceName("Orders_eu.1")).toBe("orders-eu-1");
});

test("a member registers its own node", () => {
  expect(memberPolicy("consul-1").rules).toBe(
    'node "consul-1" { policy = "write" }\nservice_prefix "" { policy = "read" }\n',
  );
});

test("whoever asks without a token, or only looks, can write nothing", () => {
  for (const { rules } of [dnsPolicy(["orders"]), observerPolicy("/service/", ["orders"])]) {
    expect(rules).not.toContain("write");
  }
  expect(dnsPolicy(["orders"]).rules).not.toContain("key");
});
