/** What a program of two regions registers under Pulumi's mocks, with what each resource waits for. */
import * as pulumi from "@pulumi/pulumi";
import { expect } from "vitest";
import type { Presence } from "../../components/hosts/containers/presence.ts";
import { certificateEpoch } from "../../components/pki/renewal.ts";
import { certificateNotes } from "../../components/regions/render/certificates.ts";
import { regionsDesired } from "../../components/regionsDesired.ts";
import { root } from "../unit/pki/authorities.ts";
import { twoRegions } from "../unit/regions/render/sample.ts";

export interface Seen {
  readonly type: string;
  readonly name: string;
  readonly inputs: Readonly<Record<string, unknown>>;
  /** Names of the resources that come before it. */
  readonly after: readonly string[];
}

interface Request {
  getType(): string;
  getName(): string;
  getDependenciesList(): string[];
}

/** Of every token, before it has become a UUID. */
export const canary = "c".repeat(32);
/** The gossip key. */
export const bytes = Buffer.alloc(32, 7);
export const time = new Date("2026-01-01T00:00:00Z");

export async function build(presence: Partial<Presence> = {}, preview = false): Promise<readonly Seen[]> {
  const seen: Omit<Seen, "after">[] = [];
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
  const after = watchDependencies();
  const { RegionalDeployment } = await import("../../components/regionalDeployment.ts");
  const deployment = twoRegions();
  const epoch = certificateEpoch(deployment.certificates, time);
  const made = new RegionalDeployment("demo", {
    deployment,
    desired: regionsDesired(deployment, certificateNotes(deployment, epoch)),
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
  return seen.map((one) => ({ ...one, after: after.get(`${one.type} ${one.name}`) ?? [] }));
}

/** Pulumi's mocks are not told of dependencies; what the engine would be asked for has them. By type and name. */
function watchDependencies(): ReadonlyMap<string, readonly string[]> {
  const monitor = pulumi.runtime.getMonitor() as unknown as {
    registerResource: (request: Request, callback: unknown) => unknown;
  };
  const after = new Map<string, readonly string[]>();
  const register = monitor.registerResource.bind(monitor);
  monitor.registerResource = (request, callback) => {
    const urns = request.getDependenciesList();
    after.set(
      `${request.getType()} ${request.getName()}`,
      urns.map((urn) => urn.split("::").at(-1) ?? ""),
    );
    return register(request, callback);
  };
  return after;
}
