/** One node of three, as the renderers take it. */
import type { DynamicInput } from "../../../components/patroni/dynamicConfig.ts";
import type { PatroniInput } from "../../../components/patroni/patroniYml.ts";
import { timingProfiles } from "../../../components/patroni/timing.ts";

export const dynamicInput: DynamicInput = {
  timing: timingProfiles.fast.patroni,
  synchronous: "strict",
  maximumLagBytes: 1_048_576,
  parameters: { max_connections: 100, wal_level: "replica" },
  permanentSlots: [],
};

export const patroniInput: PatroniInput = {
  scope: "orders",
  namespace: "/service/",
  name: "node-1",
  address: "10.88.0.11",
  listenAddress: "10.88.0.11",
  postgresPort: 5432,
  restPort: 8008,
  dataDirectory: "/var/lib/understudy/pgdata",
  binDirectory: "/usr/lib/postgresql/17/bin",
  passwordFile: "/run/understudy/pgpass",
  handoverFile: "/run/understudy/handover",
  tls: {
    caFile: "/etc/understudy/secrets/ca.crt",
    certFile: "/etc/understudy/secrets/server.crt",
    keyFile: "/etc/understudy/secrets/server.key",
  },
  consul: { agent: "127.0.0.1:8501", registerService: true, sessionChecks: [] },
  access: {
    peers: [
      { name: "node-2", address: "10.88.0.12" },
      { name: "node-3", address: "10.88.0.13" },
    ],
    clientRules: ["hostssl all all 10.88.0.0/16 scram-sha-256"],
  },
  parameters: { shared_buffers: "128MB", unix_socket_directories: "/run/postgresql" },
  watchdog: { mode: "off", device: "/dev/watchdog", safetyMarginSeconds: 5 },
  tags: {},
};
