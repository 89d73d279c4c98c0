/** Where sites are: what belongs to which target, how SSH gets there, and no host twice. */
import type { Deployment } from "../model.ts";
import type { Written } from "../schema.ts";
import type { WrittenBase } from "../schemaBase.ts";
import type { WrittenHop, WrittenMachine } from "../schemaMachine.ts";
import { show } from "../show.ts";
import { hostFault, hostKeyFault, isPrivateKey, keyFileFault, machineKey, userFault } from "../sshHost.ts";
import { type Finding, groupBy, type StreamingRule } from "./rule.ts";

const sitePath = (name: string) => `deployment.sites.${name}`;

/** A field that is for the other target, or one that this target needs. */
const targetFields: StreamingRule = {
  code: "E_MACHINE",
  needs: ["deployment.sites.*.target"],
  check: (_deployment, { written }) =>
    Object.entries(written.sites).flatMap(([name, site]): Finding[] => {
      const at = (field: string, message: string) => ({ path: `${sitePath(name)}.${field}`, message });
      if (site.target === "containers") {
        const message = "is for `target: machines`; take it out, or write that target";
        return site.machine === undefined ? [] : [at("machine", message)];
      }
      const strange = (["image", "publishedPort", "dockerHost"] as const).filter(
        (key) => site[key] !== undefined,
      );
      return [
        ...(site.machine === undefined
          ? [at("machine", "is missing; `target: machines` needs at least `machine: { host: … }`")]
          : []),
        ...strange.map((field) =>
          at(field, `is for \`target: containers\`; take it out${instead[field] ?? ""}`),
        ),
      ];
    }),
};

const instead: Readonly<Record<string, string>> = {
  image: "; PostgreSQL comes from packages, see `machine.packageMirror`",
  publishedPort: "; clients reach the node at its address",
};

export interface WrittenAt<T> {
  readonly path: string;
  readonly value: T;
}

/** Every machine that was written, and where. */
export function writtenMachines(written: WrittenBase): WrittenAt<WrittenMachine>[] {
  const sites = "sites" in written ? (written as Written).sites : {};
  const all = [
    ...Object.entries(sites).map(([name, { machine }]) => ({
      path: `${sitePath(name)}.machine`,
      value: machine,
    })),
    { path: "deployment.names.server.machine", value: written.names.server?.machine },
  ];
  return all.flatMap(({ path, value }) => (value === undefined ? [] : [{ path, value }]));
}

/** Every stop of SSH: machines, and the hosts that are gone through. */
export function writtenHops(written: WrittenBase): WrittenAt<WrittenHop>[] {
  return writtenMachines(written).flatMap(({ path, value }) => [
    { path, value },
    ...(value.jump === undefined ? [] : [{ path: `${path}.jump`, value: value.jump }]),
  ]);
}

/** A rule about one field of each stop; what the field is when nobody wrote it is right. */
const eachHop = (
  code: string,
  field: "host" | "user" | "keyFile" | "hostKey",
  fault: (value: string) => string | undefined,
): StreamingRule => ({
  code,
  needs: [],
  check: (_deployment, { written }) =>
    writtenHops(written).flatMap(({ path, value }) => {
      const text = value[field];
      const message = text === undefined || isPrivateKey(text) ? undefined : fault(text);
      return message === undefined ? [] : [{ path: `${path}.${field}`, message }];
    }),
});

const hostTwice: StreamingRule = {
  code: "E_HOST_DUP",
  needs: ["deployment.sites.*.target"],
  check: (deployment, { written }) => [
    ...machinesTwice(deployment, written),
    ...enginesTwice(deployment),
    ...oneAddressTwoNames(deployment, written),
  ],
};

function machinesTwice({ sites }: Deployment, written: Written): Finding[] {
  const machines = sites.flatMap(({ name, place }) =>
    place.target === "machines" && place.machine.ssh.host !== "" ? [{ name, ssh: place.machine.ssh }] : [],
  );
  const groups = groupBy(machines, ({ ssh }) => machineKey(ssh));
  return [...groups.values()].flatMap(([first, ...others]) =>
    others.map(({ name, ssh }) => {
      const spelt = [first?.name ?? "", name].map((site) => written.sites[site]?.machine?.host ?? "");
      const spelling =
        spelt[0] === spelt[1] ? "" : ` (written as ${spelt.map((one) => show(one, "")).join(" and ")})`;
      const message = `${first?.name} and ${name} are on one machine, ${ssh.host} port ${ssh.port}${spelling}, which can fail but once; write another machine for one of them`;
      return { path: `${sitePath(name)}.machine.host`, message };
    }),
  );
}

/** Two sites on one engine share it by having no `dockerHost` of their own. */
function enginesTwice({ sites, names, containers }: Deployment): Finding[] {
  const placed = sites.flatMap(({ name, place }) =>
    place.target === "containers" ? [{ name, ...place }] : [],
  );
  const sharers = [
    ...(names.server.kind === "container" ? ["the name server"] : []),
    ...placed.filter(({ ownEngine }) => !ownEngine).map(({ name }) => name),
  ];
  const engines = [
    ...sharers.slice(0, 1).map((name) => ({ name, key: engineKey(containers.dockerHost) })),
    ...placed
      .filter(({ ownEngine }) => ownEngine)
      .map(({ name, dockerHost }) => ({ name, key: engineKey(dockerHost) })),
  ];
  return [...groupBy(engines, ({ key }) => key).values()].flatMap(([first, ...others]) =>
    others.map(({ name }) => {
      const apart =
        first?.name === "the name server" ? "`names.server` another kind" : `${first?.name} another engine`;
      const message = `is the engine of ${first?.name} too; take it out to share \`containers.dockerHost\` and its network, or give ${apart}`;
      return { path: `${sitePath(name)}.dockerHost`, message };
    }),
  );
}

/** Equal for two ways to write one engine; the user who logs in makes no difference. */
function engineKey(dockerHost = "unix:///var/run/docker.sock"): string {
  const [, scheme = "", rest = ""] = /^([a-z]+):\/\/(.*)$/i.exec(dockerHost) ?? [];
  if (scheme.toLowerCase() === "unix") return rest.replace(/^\/run\//, "/var/run/");
  const host = rest
    .replace(/^[^/]*@/, "")
    .replace(/\/.*$/, "")
    .toLowerCase();
  const [, name = host, port = scheme === "ssh" ? "22" : "2375"] = /^(.*?)\.?(?::(\d+))?$/.exec(host) ?? [];
  return `${scheme.toLowerCase()} ${name} ${port}`;
}

/** The name server may be on a site's machine, which must then be known to be that one. */
function oneAddressTwoNames({ sites, names: { server } }: Deployment, written: Written): Finding[] {
  if (server.kind !== "machine" || server.address === "") return [];
  const path = "deployment.names.server.machine.host";
  return sites.flatMap(({ name, place, node }) => {
    if (place.target !== "machines" || node.address !== server.address) return [];
    if (machineKey(place.machine.ssh) === machineKey(server.machine.ssh)) return [];
    const here = show(written.names.server?.machine?.host ?? "", "");
    const there = show(written.sites[name]?.machine?.host ?? "", "");
    const message = `${here} has the address ${server.address} of ${name}, whose machine is written ${there}; write the same \`host\`, \`port\` and \`jump\` for one machine`;
    return [{ path, message }];
  });
}

export const machineRules: readonly StreamingRule[] = [
  targetFields,
  eachHop("E_HOST", "host", hostFault),
  eachHop("E_SSH_USER", "user", userFault),
  eachHop("E_KEY_FILE", "keyFile", keyFileFault),
  eachHop("E_HOST_KEY_FORMAT", "hostKey", hostKeyFault),
  hostTwice,
];
