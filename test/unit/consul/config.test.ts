import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { agentConfig } from "../../../components/consul/agentConfig.ts";
import { secretsConfig } from "../../../components/consul/secretsConfig.ts";
import { serverConfig } from "../../../components/consul/serverConfig.ts";
import { startConfig } from "../../../components/consul/startConfig.ts";
import { CONSUL_VERSION } from "../../../components/consul/version.ts";
import { agent, secrets, server, start } from "./sample.ts";

test("consul.json of a server", () => {
  expect(serverConfig(server)).toMatchInlineSnapshot(`
    "{
      "datacenter": "region-a",
      "node_name": "consul-1",
      "data_dir": "/var/lib/understudy-consul",
      "bind_addr": "10.88.0.21",
      "advertise_addr": "10.88.0.21",
      "leave_on_terminate": false,
      "skip_leave_on_interrupt": true,
      "encrypt_verify_incoming": true,
      "encrypt_verify_outgoing": true,
      "tls": {
        "defaults": {
          "ca_file": "/etc/understudy-consul/secrets/ca.crt",
          "cert_file": "/etc/understudy-consul/secrets/consul.crt",
          "key_file": "/etc/understudy-consul/secrets/consul.key",
          "verify_incoming": true,
          "verify_outgoing": true,
          "tls_min_version": "TLSv1_2"
        },
        "internal_rpc": {
          "verify_server_hostname": true
        }
      },
      "acl": {
        "enabled": true,
        "default_policy": "deny",
        "down_policy": "extend-cache"
      },
      "connect": {
        "enabled": false
      },
      "ui_config": {
        "enabled": false
      },
      "disable_remote_exec": true,
      "enable_script_checks": false,
      "disable_update_check": true,
      "log_level": "INFO",
      "server": true,
      "addresses": {
        "https": "127.0.0.1 10.88.0.21"
      },
      "ports": {
        "http": -1,
        "https": 8501,
        "dns": -1,
        "grpc": -1,
        "grpc_tls": -1,
        "serf_wan": -1
      },
      "performance": {
        "raft_multiplier": 1
      },
      "autopilot": {
        "cleanup_dead_servers": false,
        "last_contact_threshold": "1s"
      }
    }
    "
  `);
});

test("what is needed at a start alone is a file of its own", () => {
  expect(JSON.parse(startConfig(start))).toEqual({
    retry_join: ["10.88.0.21", "10.88.0.22", "10.88.0.23"],
    retry_interval: "1s",
    bootstrap_expect: 3,
  });
  expect(JSON.parse(startConfig({ serverAddresses: ["10.88.0.21"] }))).not.toHaveProperty("bootstrap_expect");
});

test("consul.json of an agent", () => {
  expect(agentConfig(agent)).toMatchInlineSnapshot(`
    "{
      "datacenter": "region-a",
      "node_name": "node-1",
      "data_dir": "/var/lib/understudy-consul",
      "bind_addr": "10.88.0.11",
      "advertise_addr": "10.88.0.11",
      "leave_on_terminate": false,
      "skip_leave_on_interrupt": true,
      "encrypt_verify_incoming": true,
      "encrypt_verify_outgoing": true,
      "tls": {
        "defaults": {
          "ca_file": "/etc/understudy-consul/secrets/ca.crt",
          "cert_file": "/etc/understudy-consul/secrets/consul.crt",
          "key_file": "/etc/understudy-consul/secrets/consul.key",
          "verify_incoming": true,
          "verify_outgoing": true,
          "tls_min_version": "TLSv1_2"
        },
        "internal_rpc": {
          "verify_server_hostname": true
        }
      },
      "acl": {
        "enabled": true,
        "default_policy": "deny",
        "down_policy": "extend-cache"
      },
      "connect": {
        "enabled": false
      },
      "ui_config": {
        "enabled": false
      },
      "disable_remote_exec": true,
      "enable_script_checks": false,
      "disable_update_check": true,
      "log_level": "INFO",
      "server": false,
      "client_addr": "127.0.0.1",
      "ports": {
        "http": -1,
        "https": 8501,
        "dns": 8600,
        "grpc": -1,
        "grpc_tls": -1,
        "serf_wan": -1
      },
      "enable_agent_tls_for_checks": true
    }
    "
  `);
});

test("an agent answers DNS only where it is asked to", () => {
  expect(JSON.parse(agentConfig({ ...agent, dns: false })).ports.dns).toBe(-1);
});

describe("secrets.json", () => {
  test("holds the gossip key and the tokens that are given, and nothing else", () => {
    expect(JSON.parse(secretsConfig(secrets))).toEqual({
      encrypt: secrets.gossipKey,
      acl: { tokens: { agent: secrets.agentToken, initial_management: secrets.initialManagementToken } },
    });
  });

  test.each([
    ["16 bytes", Buffer.alloc(16, 7).toString("base64"), "16 bytes"],
    ["no base64", "not base64, but as long as one would be....", "bytes of base64"],
    ["base64 for URLs", Buffer.alloc(32, 255).toString("base64url"), "32 are needed"],
    ["a line break at its end", `${secrets.gossipKey}\n`, "32 are needed"],
  ])("refuses a gossip key of %s without showing it", (_what, gossipKey, words) => {
    const render = () => secretsConfig({ ...secrets, gossipKey });
    expect(render).toThrow(words);
    expect(render).not.toThrow(gossipKey);
  });

  test("refuses a token that is no UUID without showing it", () => {
    const render = () => secretsConfig({ ...secrets, agentToken: "canary" });
    expect(render).toThrow("acl.tokens.agent is no UUID");
    expect(render).not.toThrow("canary");
  });
});

test("the module that Consul is built from is of the release that images name", () => {
  const file = new URL("../../../scripts/toolchain/consul/go.mod", import.meta.url);
  expect(readFileSync(file, "utf8")).toContain(`github.com/hashicorp/consul v${CONSUL_VERSION}`);
});
