/** A region's Consul, as the renderers take it. */
import type { ConsulAgentInput } from "../../../components/consul/agentConfig.ts";
import type { ConsulMember } from "../../../components/consul/common.ts";
import type { ConsulSecrets } from "../../../components/consul/secretsConfig.ts";
import type { ConsulStart } from "../../../components/consul/startConfig.ts";

const tls = {
  caFile: "/etc/understudy-consul/secrets/ca.crt",
  certFile: "/etc/understudy-consul/secrets/consul.crt",
  keyFile: "/etc/understudy-consul/secrets/consul.key",
};

export const start: ConsulStart = {
  serverAddresses: ["10.88.0.21", "10.88.0.22", "10.88.0.23"],
  bootstrapExpect: 3,
};

export const server: ConsulMember = {
  datacenter: "region-a",
  nodeName: "consul-1",
  bindAddress: "10.88.0.21",
  dataDirectory: "/var/lib/understudy-consul",
  tls,
};

export const agent: ConsulAgentInput = {
  datacenter: "region-a",
  nodeName: "node-1",
  bindAddress: "10.88.0.11",
  clientAddress: "127.0.0.1",
  dataDirectory: "/var/lib/understudy-consul",
  tls,
  dns: true,
};

export const secrets: ConsulSecrets = {
  gossipKey: Buffer.alloc(32, 7).toString("base64"),
  agentToken: "11111111-1111-4111-8111-111111111111",
  initialManagementToken: "22222222-2222-4222-8222-222222222222",
};
