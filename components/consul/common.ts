/** What servers and client agents have in common. No secret is in it: see `secretsConfig.ts`. */

/** Paths on the host. The key is readable by Consul's account alone. */
export interface ConsulTlsFiles {
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
}

export interface ConsulMember {
  /** Consul's name for a region; lower case, digits, `-` and `_`. */
  readonly datacenter: string;
  /** Consul's name of this node. Sessions, tokens and DNS go by it, so it is never reused for another host. */
  readonly nodeName: string;
  /** The address that other members reach; gossip and RPC listen on it and nowhere else. */
  readonly bindAddress: string;
  readonly dataDirectory: string;
  readonly tls: ConsulTlsFiles;
}

/** Consul's default ports; http, grpc and WAN gossip stay closed. */
export const consulPorts = { rpc: 8300, gossip: 8301, https: 8501, dns: 8600 } as const;

export function commonConfig(member: ConsulMember): Record<string, unknown> {
  return {
    datacenter: member.datacenter,
    node_name: member.nodeName,
    data_dir: member.dataDirectory,
    bind_addr: member.bindAddress,
    advertise_addr: member.bindAddress,
    // A leave gives the node's sessions back at once: a restart of the agent would then depose the leader.
    leave_on_terminate: false,
    skip_leave_on_interrupt: true,
    encrypt_verify_incoming: true,
    encrypt_verify_outgoing: true,
    tls: {
      defaults: {
        ca_file: member.tls.caFile,
        cert_file: member.tls.certFile,
        key_file: member.tls.keyFile,
        verify_incoming: true,
        verify_outgoing: true,
        tls_min_version: "TLSv1_2",
      },
      // Without it whoever holds a client's certificate could start as a server.
      internal_rpc: { verify_server_hostname: true },
    },
    acl: { enabled: true, default_policy: "deny", down_policy: "extend-cache" },
    connect: { enabled: false },
    ui_config: { enabled: false },
    disable_remote_exec: true,
    enable_script_checks: false,
    disable_update_check: true,
    log_level: "INFO",
  };
}

/** Pretty and in the order of the code: its diff is read at preview. */
export function renderJson(config: Readonly<Record<string, unknown>>): string {
  return `${JSON.stringify(config, null, 2)}\n`;
}
