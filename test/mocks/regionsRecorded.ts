/** What a program of two regions registers under Pulumi's mocks, with what each resource waits for. */
import * as pulumi from "@pulumi/pulumi";
import { expect } from "vitest";
import type { Presence } from "../../components/hosts/containers/presence.ts";
import { certificateEpoch } from "../../components/pki/renewal.ts";
import type { RegionsObserved } from "../../components/regions/facts.ts";
import { certificateNotes } from "../../components/regions/render/certificates.ts";
import { regionsDesired } from "../../components/regionsDesired.ts";
import type { SshRoute } from "../../components/roles/desired.ts";
import type { RegionalDeployment } from "../../components/spec/regionalModel.ts";
import { root } from "../unit/pki/authorities.ts";
import { twoRegions } from "../unit/regions/render/sample.ts";

export interface Seen {
  readonly type: string;
  readonly name: string;
  readonly inputs: Readonly<Record<string, unknown>>;
  /** Names of the resources that come before it. */
  readonly after: readonly string[];
  /** Pulumi refuses to delete it. */
  readonly protect: boolean;
  /** Pulumi forgets it instead of deleting it. */
  readonly retain: boolean;
  /** Inputs whose change it leaves. */
  readonly ignored: readonly string[];
}

type Options = Pick<Seen, "after" | "protect" | "retain" | "ignored">;

interface Request {
  getType(): string;
  getName(): string;
  getDependenciesList(): string[];
  getProtect(): boolean | undefined;
  getRetainondelete(): boolean | undefined;
  getIgnorechangesList(): string[];
}

/** Of every token, before it has become a UUID. */
export const canary = "c".repeat(32);
/** The gossip key. */
export const bytes = Buffer.alloc(32, 7);
export const time = new Date("2026-01-01T00:00:00Z");

/** Of a deployment that is not the sample in containers. */
export interface Elsewhere {
  readonly deployment?: RegionalDeployment;
  readonly routes?: Readonly<Record<string, SshRoute>>;
  readonly hosts?: RegionsObserved["hosts"];
  readonly silentMachines?: readonly string[];
  readonly unseen?: boolean;
}

export async function build(
  presence: Partial<Presence> = {},
  preview = false,
  elsewhere: Elsewhere = {},
): Promise<readonly Seen[]> {
  const {
    deployment = twoRegions(),
    routes = {},
    hosts = {},
    silentMachines = [],
    unseen = false,
  } = elsewhere;
  const seen: Omit<Seen, keyof Options>[] = [];
  await pulumi.runtime.setMocks(
    {
      newResource: (args) => {
        seen.push({ type: args.type, name: args.name, inputs: args.inputs });
        const outputs = {
          certPem: root,
          privateKeyPem: "canary-of-a-key",
          certRequestPem: "REQUEST",
          result: "canary-of-a-password",
          base64: bytes.toString("base64"),
          hex: canary,
        };
        return { id: `${args.name}-id`, state: { ...args.inputs, ...outputs, stdout: "" } };
      },
      call: (args) => {
        throw new Error(`unexpected call of ${args.token}`);
      },
    },
    "understudy",
    "demo",
    preview,
  );
  const options = watchOptions();
  const { RegionalDeployment } = await import("../../components/regionalDeployment.ts");
  const epoch = certificateEpoch(deployment.certificates, time);
  const made = new RegionalDeployment("demo", {
    deployment,
    desired: regionsDesired(deployment, certificateNotes(deployment, epoch), routes),
    observed: { hosts },
    ...{ routes, silentMachines, unseen },
    certificateEpoch: epoch,
    generation: time.toISOString(),
    presence: {
      "": { reachable: true, containers: {}, networks: {}, fresh: time.toISOString(), ...presence },
    },
    caPrivateKey: undefined,
    dnsKey: undefined,
  });
  const tokens = made.consulManagementTokens;
  await new Promise((resolve) =>
    pulumi.all([made.active, made.uri ?? "", tokens, made.caCertificate]).apply(resolve),
  );
  expect(await pulumi.isSecret(tokens)).toBe(true);
  expect(await pulumi.isSecret(made.uri ?? pulumi.output(""))).toBe(true);
  const none: Options = { after: [], protect: false, retain: false, ignored: [] };
  return seen.map((one) => ({ ...one, ...(options.get(`${one.type} ${one.name}`) ?? none) }));
}

/** Pulumi's mocks are not told of a resource's options; what the engine would be asked for has them. By type and name. */
function watchOptions(): ReadonlyMap<string, Options> {
  const monitor = pulumi.runtime.getMonitor() as unknown as {
    registerResource: (request: Request, callback: unknown) => unknown;
  };
  const options = new Map<string, Options>();
  const register = monitor.registerResource.bind(monitor);
  monitor.registerResource = (request, callback) => {
    const urns = request.getDependenciesList();
    options.set(`${request.getType()} ${request.getName()}`, {
      after: urns.map((urn) => urn.split("::").at(-1) ?? ""),
      protect: request.getProtect() ?? false,
      retain: request.getRetainondelete() ?? false,
      ignored: request.getIgnorechangesList(),
    });
    return register(request, callback);
  };
  return options;
}
