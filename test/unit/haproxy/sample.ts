/** A site's HAProxy before three nodes. */
import type { HaproxyInput } from "../../../components/haproxy/haproxyCfg.ts";
import { timingProfiles } from "../../../components/patroni/timing.ts";

export const haproxyInput: HaproxyInput = {
  listenAddress: "10.88.0.31",
  writePort: 5000,
  readPort: 5001,
  statsPort: 7000,
  caFile: "/etc/understudy-haproxy/ca.crt",
  adminSocket: "/run/understudy-haproxy/admin.sock",
  stateFile: "/etc/understudy-haproxy/initial.state",
  maxConnections: 2000,
  sessionIdleSeconds: 28_800,
  checks: timingProfiles.fast.haproxy,
  servers: ["node-1", "node-2", "node-3"].map((name, index) => ({
    name,
    address: `10.88.0.1${index + 1}`,
    postgresPort: 5432,
    restPort: 8008,
  })),
  readsWithoutReplica: "primary",
};
