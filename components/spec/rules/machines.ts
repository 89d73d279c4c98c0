/** Where sites and hosts of regions are: what belongs to which target, how SSH gets there, and no machine twice. */
import type { Deployment } from "../model.ts";
import type { WrittenRegional } from "../regional/schema.ts";
import type { AnyDeployment } from "../regionalModel.ts";
import type { Written } from "../schema.ts";
import type { WrittenBase } from "../schemaBase.ts";
import type { WrittenMachine, WrittenRegionMachine } from "../schemaMachine.ts";
import { show } from "../show.ts";
import { hostFault, hostKeyFault, isPrivateKey, keyFileFault, machineKey, userFault } from "../sshHost.ts";
import { areaTargets, hostMaps, hostsOnMachines } from "./areas.ts";
import { type Finding, groupBy, type Rule, type StreamingRule } from "./rule.ts";

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

/** A machine as far as it was written there; what a region says of all its machines has no host. */
export type WrittenPart = WrittenRegionMachine & Partial<Pick<WrittenMachine, "host">>;
type WrittenStop = Pick<WrittenPart, "host" | "user" | "keyFile" | "hostKey">;

/** Every machine that was written, and where. */
export function writtenMachines(written: WrittenBase): WrittenAt<WrittenPart>[] {
  const all = [
    ...("sites" in written ? ofSites(written as Written) : []),
    ...("regions" in written ? ofRegions(written as WrittenRegional) : []),
    { path: "deployment.names.server.machine", value: written.names.server?.machine },
  ];
  return all.flatMap(({ path, value }) => (value === undefined ? [] : [{ path, value }]));
}

type MaybeAt = WrittenAt<WrittenPart | undefined>;

function ofSites({ sites }: Written): MaybeAt[] {
  return Object.entries(sites).map(([name, { machine }]) => ({
    path: `${sitePath(name)}.machine`,
    value: machine,
  }));
}

function ofRegions({ regions }: WrittenRegional): MaybeAt[] {
  return Object.entries(regions).flatMap(([name, region]): MaybeAt[] => {
    const path = `deployment.regions.${name}`;
    const hosts = Object.values(hostMaps).flatMap((map) =>
      Object.entries(region[map] ?? {}).map(([host, { machine }]) => ({
        path: `${path}.${map}.${host}.machine`,
        value: machine,
      })),
    );
    return [{ path: `${path}.machine`, value: region.machine }, ...hosts];
  });
}

/** Every stop of SSH: machines, and the hosts that are gone through. */
export function writtenHops(written: WrittenBase): WrittenAt<WrittenStop>[] {
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
): Rule => ({
  code,
  needs: [],
  check: (_deployment, { written }) =>
    writtenHops(written).flatMap(({ path, value }) => {
      const text = value[field];
      const message = text === undefined || isPrivateKey(text) ? undefined : fault(text);
      return message === undefined ? [] : [{ path: `${path}.${field}`, message }];
    }),
});

const hostTwice: Rule = {
  code: "E_HOST_DUP",
  needs: areaTargets,
  check: (deployment, { written }) => [
    ...machinesTwice(deployment, written),
    ...("sites" in deployment ? enginesTwice(deployment) : []),
    ...oneAddressTwoNames(deployment, written),
  ],
};

/** As the user wrote it, of the site or host at the path. */
function writtenHost(written: WrittenBase, path: string): string {
  return writtenMachines(written).find((one) => one.path === `${path}.machine`)?.value.host ?? "";
}

function machinesTwice(deployment: AnyDeployment, written: WrittenBase): Finding[] {
  const machines = hostsOnMachines(deployment).filter(({ machine }) => machine.ssh.host !== "");
  const groups = groupBy(machines, ({ machine }) => machineKey(machine.ssh));
  return [...groups.values()].flatMap(([first, ...others]) =>
    others.map(({ name, path, machine: { ssh } }) => {
      const spelt = [first?.path ?? "", path].map((one) => writtenHost(written, one));
      const spelling =
        spelt[0] === spelt[1] ? "" : ` (written as ${spelt.map((one) => show(one, "")).join(" and ")})`;
      const message = `${first?.name} and ${name} are on one machine, ${ssh.host} port ${ssh.port}${spelling}, which can fail but once; write another machine for one of them`;
      return { path: `${path}.machine.host`, message };
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

/** The name server may be on the machine of a site or host, which must then be known to be that one. */
function oneAddressTwoNames(deployment: AnyDeployment, written: WrittenBase): Finding[] {
  const { server } = deployment.names;
  if (server.kind !== "machine" || server.address === "") return [];
  const path = "deployment.names.server.machine.host";
  return hostsOnMachines(deployment).flatMap(({ name, path: at, machine, address }) => {
    if (address !== server.address) return [];
    if (machineKey(machine.ssh) === machineKey(server.machine.ssh)) return [];
    const here = show(written.names.server?.machine?.host ?? "", "");
    const there = show(writtenHost(written, at), "");
    const message = `${here} has the address ${server.address} of ${name}, whose machine is written ${there}; write the same \`host\`, \`port\` and \`jump\` for one machine`;
    return [{ path, message }];
  });
}

export const machineRules: readonly Rule[] = [
  eachHop("E_HOST", "host", hostFault),
  eachHop("E_SSH_USER", "user", userFault),
  eachHop("E_KEY_FILE", "keyFile", keyFileFault),
  eachHop("E_HOST_KEY_FORMAT", "hostKey", hostKeyFault),
  hostTwice,
];

export const siteMachineRules: readonly StreamingRule[] = [targetFields];
