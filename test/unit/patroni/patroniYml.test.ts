import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import {
  bootstrapYml,
  type PatroniTags,
  patroniYml,
  secretsYml,
} from "../../../components/patroni/patroniYml.ts";
import { patroniInput } from "./sample.ts";

test("patroni.yml", () => {
  expect(patroniYml(patroniInput)).toMatchInlineSnapshot(`
    "# Rendered by Understudy; edits are overwritten.
    scope: orders
    namespace: /service/
    name: node-1
    log:
      level: INFO
      deduplicate_heartbeat_logs: true
    restapi:
      listen: 10.88.0.11:8008
      connect_address: 10.88.0.11:8008
      certfile: /etc/understudy/secrets/server.crt
      keyfile: /etc/understudy/secrets/server.key
      cafile: /etc/understudy/secrets/ca.crt
      verify_client: optional
      server_tokens: productonly
    ctl:
      cacert: /etc/understudy/secrets/ca.crt
      certfile: /etc/understudy/secrets/server.crt
      keyfile: /etc/understudy/secrets/server.key
    consul:
      host: 127.0.0.1:8501
      scheme: https
      verify: true
      cacert: /etc/understudy/secrets/ca.crt
      cert: /etc/understudy/secrets/server.crt
      key: /etc/understudy/secrets/server.key
      register_service: true
      service_check_interval: 1s
      service_check_tls_server_name: node-1
    postgresql:
      listen: 10.88.0.11:5432
      connect_address: 10.88.0.11:5432
      data_dir: /var/lib/understudy/pgdata
      bin_dir: /usr/lib/postgresql/17/bin
      pgpass: /run/understudy/pgpass
      before_stop: /bin/sh -c 'read -r until 2>/dev/null </run/understudy/handover || exit 0; read -r now rest </proc/uptime; [ "\${now%.*}" -lt "$until" ] || exit 0; read -r pid 2>/dev/null </var/lib/understudy/pgdata/postmaster.pid || exit 0; kill -INT "$pid"; end=$((\${now%.*}+2)); while [ -d "/proc/$pid" ] && read -r now rest </proc/uptime && [ "\${now%.*}" -le "$end" ]; do sleep 0.02; done'
      use_unix_socket: true
      use_unix_socket_repl: true
      authentication:
        superuser:
          username: postgres
        replication:
          username: replicator
          sslmode: verify-full
          sslrootcert: /etc/understudy/secrets/ca.crt
          sslcert: /etc/understudy/secrets/server.crt
          sslkey: /etc/understudy/secrets/server.key
        rewind:
          username: rewinder
          sslmode: verify-full
          sslrootcert: /etc/understudy/secrets/ca.crt
          sslcert: /etc/understudy/secrets/server.crt
          sslkey: /etc/understudy/secrets/server.key
      basebackup:
        - checkpoint: fast
      parameters:
        shared_buffers: 128MB
        unix_socket_directories: /run/postgresql
      pg_hba:
        - local all postgres peer
        - local replication replicator peer map=understudy-local
        - local all all reject
        - local replication all reject
        - hostssl replication replicator 10.88.0.12/32 cert map=understudy
        - hostssl postgres rewinder 10.88.0.12/32 cert map=understudy
        - hostssl replication replicator 10.88.0.13/32 cert map=understudy
        - hostssl postgres rewinder 10.88.0.13/32 cert map=understudy
        - host all postgres,replicator,rewinder all reject
        - hostssl all all 10.88.0.0/16 scram-sha-256
        - host all all all reject
        - host replication all all reject
      pg_ident:
        - understudy-local postgres replicator
        - understudy "node-2" replicator
        - understudy "node-2" rewinder
        - understudy "node-3" replicator
        - understudy "node-3" rewinder
    watchdog:
      mode: "off"
    tags:
      nofailover: false
      noloadbalance: false
      clonefrom: false
      nosync: false
    "
  `);
});

test("of two words for one thing Patroni takes one: a priority stands in the place of a tag that excludes", () => {
  const tags = (written: PatroniTags) =>
    parse(patroniYml({ ...patroniInput, tags: written }), { version: "1.1" }).tags;
  expect(tags({ failoverPriority: 3, syncPriority: 2 })).toEqual({
    failover_priority: 3,
    sync_priority: 2,
    noloadbalance: false,
    clonefrom: false,
  });
  expect(tags({ nosync: true, syncPriority: 2 })).toMatchObject({ nosync: true, nofailover: false });
});

test("bootstrap.yml begins with the dynamic configuration, and a data directory with checksums", () => {
  const content = parse(bootstrapYml({ ttl: 20 }), { version: "1.1" });
  expect(content.bootstrap.dcs).toEqual({ ttl: 20 });
  expect(content.bootstrap.initdb[0]).toBe("data-checksums");
});

test("the token is in a file of its own, and nowhere else", () => {
  const token = "33333333-3333-4333-8333-333333333333";
  expect(parse(secretsYml({ consulToken: token }), { version: "1.1" })).toEqual({ consul: { token } });
  expect(parse(patroniYml(patroniInput)).consul).not.toHaveProperty("token");
});

describe("what YAML 1.1 would take for something else", () => {
  const read = (parameters: Record<string, string>) =>
    parse(patroniYml({ ...patroniInput, parameters }), { version: "1.1" }).postgresql.parameters;

  test.each([
    "on",
    "off",
    "yes",
    "12:30",
    "0x10",
    "1_000",
    "null",
    "~",
    "5s",
    "%m [%p] %q%u@%d/%a ",
    "é\n'\"\\",
  ])("%j stays text", (value) => {
    expect(read({ canary: value })).toEqual({ canary: value });
  });
});

test("a session depends on checks only where some are named", () => {
  const consul = { ...patroniInput.consul, sessionChecks: ["serfHealth"] };
  expect(parse(patroniYml(patroniInput)).consul).not.toHaveProperty("checks");
  expect(parse(patroniYml({ ...patroniInput, consul })).consul.checks).toEqual(["serfHealth"]);
});

test("without a watchdog it says that there is none, as text", () => {
  expect(patroniYml(patroniInput)).toContain('watchdog:\n  mode: "off"\n');
});

test.each(["automatic", "required"] as const)("a watchdog, %s", (mode) => {
  const watchdog = { mode, device: "/dev/watchdog1", safetyMarginSeconds: -1 };
  const text = patroniYml({ ...patroniInput, watchdog });
  expect(parse(text).watchdog).toEqual({ mode, device: "/dev/watchdog1", safety_margin: -1 });
});

test("an IPv6 address is bracketed where a port follows", () => {
  const text = patroniYml({ ...patroniInput, address: "fd00::1", listenAddress: "fd00::1" });
  expect(parse(text).restapi).toMatchObject({ listen: "[fd00::1]:8008", connect_address: "[fd00::1]:8008" });
});
