/** Who serves names: what belongs to which kind, the key of a server of the user's, and a machine shared with a site. */
import { setSecretCommand } from "../configurationKeys.ts";
import type { Machine } from "../model.ts";
import type { AnyDeployment } from "../regionalModel.ts";
import type { WrittenBase } from "../schemaBase.ts";
import { show } from "../show.ts";
import { hostFault, machineKey } from "../sshHost.ts";
import { hostsOnMachines } from "./areas.ts";
import type { Finding, Rule } from "./rule.ts";

const base = "deployment.names.server";
const kindPath = `${base}.kind`;

type Field = "machine" | "address" | "host" | "port" | "keyName";
/** The kind that a field is for, and whether it needs it. */
const fieldsOfKind: Readonly<Record<Field, readonly [kind: "machine" | "external", needed: boolean]>> = {
  machine: ["machine", true],
  address: ["machine", false],
  host: ["external", true],
  port: ["external", false],
  keyName: ["external", true],
};

const fields: Rule = {
  code: "E_NAME_SERVER",
  needs: [kindPath],
  check(deployment, { written }) {
    return [
      ...misplaced(written),
      ...containerOnly(deployment, written),
      ...external(written),
      ...adopting(written),
      ...unequal(deployment, written),
    ];
  },
};

function misplaced({ names: { server } }: WrittenBase): Finding[] {
  if (server === undefined) return [];
  // A port is always there: 53 says nothing about what was meant.
  const given = (field: Field) => (field === "port" ? server.port !== 53 : server[field] !== undefined);
  return (Object.keys(fieldsOfKind) as Field[]).flatMap((field) => {
    const [kind, needed] = fieldsOfKind[field];
    const path = `${base}.${field}`;
    if (server.kind === kind) {
      return needed && !given(field) ? [{ path, message: `is missing; \`kind: ${kind}\` needs it` }] : [];
    }
    return given(field)
      ? [{ path, message: `is for \`kind: ${kind}\`; take it out, or write that kind` }]
      : [];
  });
}

function containerOnly({ names: { server } }: AnyDeployment, { names }: WrittenBase): Finding[] {
  if (server.kind === "container" || names.serverAddress === undefined) return [];
  const path = "deployment.names.serverAddress";
  return [
    { path, message: `is for a name server in a container, and it is \`kind: ${server.kind}\`; take it out` },
  ];
}

function external({ names: { server } }: WrittenBase): Finding[] {
  if (server?.kind !== "external") return [];
  const host = server.host === undefined ? undefined : hostFault(server.host);
  const name = server.keyName ?? "x";
  const wellNamed = name.length <= 253 && /^[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*\.?$/.test(name);
  return [
    ...(host === undefined ? [] : [{ path: `${base}.host`, message: host }]),
    ...(wellNamed
      ? []
      : [
          {
            path: `${base}.keyName`,
            message: `${show(name, "")} is not a key's name, e.g. understudy.example.test`,
          },
        ]),
  ];
}

function adopting({ names: { server } }: WrittenBase): Finding[] {
  if (server?.machine?.adopt === undefined) return [];
  return [
    { path: `${base}.machine.adopt`, message: "is for a site; a name server has no database to adopt" },
  ];
}

/** What is of a machine and not of a service on it: two opinions cannot both be followed. */
const ofTheMachine: Readonly<Record<string, (machine: Machine) => unknown>> = {
  user: ({ ssh }) => ssh.user,
  keyFile: ({ ssh }) => ssh.keyFile,
  hostKey: ({ ssh }) => ssh.hostKey,
  knownHosts: ({ ssh }) => ssh.knownHostsFile,
  jump: ({ ssh }) => ssh.jump,
  packageMirror: ({ packageMirror }) => packageMirror,
  firewall: ({ firewall }) => firewall,
};

function unequal(deployment: AnyDeployment, written: WrittenBase): Finding[] {
  const { server } = deployment.names;
  if (server.kind !== "machine") return [];
  if (written.names.server?.machine === undefined) return [];
  const here = server.machine;
  const said = (value: unknown) => (value === undefined ? "nothing" : show(value, ""));
  return hostsOnMachines(deployment).flatMap(({ name, machine: there }) => {
    if (machineKey(there.ssh) !== machineKey(here.ssh)) return [];
    return Object.entries(ofTheMachine)
      .filter(([, of]) => JSON.stringify(of(here)) !== JSON.stringify(of(there)))
      .map(([field, of]) => ({
        path: `${base}.machine.${field}`,
        message: `${said(of(here))} here, and ${said(of(there))} at ${name}, which is the same machine; write the same`,
      }));
  });
}

const key: Rule = {
  code: "E_DNS_KEY",
  needs: [kindPath],
  check({ names: { server } }, { dnsKeyGiven }) {
    if (server.kind === "external" && !dnsKeyGiven) {
      const message = `the TSIG secret of your name server is missing; set it with \`${setSecretCommand("dnsKey")}\``;
      return [{ path: "dnsKey", message }];
    }
    if (server.kind !== "external" && dnsKeyGiven) {
      const message =
        "is set, and no name server of yours takes it; write `kind: external`, or remove it with `pulumi config rm dnsKey`";
      return [{ path: "dnsKey", message }];
    }
    return [];
  },
};

export const nameServerRules: readonly Rule[] = [fields, key];
