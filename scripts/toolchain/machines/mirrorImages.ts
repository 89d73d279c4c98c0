/**
 * The images of an apt repository: an empty one, and one with the packages of regions that Debian does not have. Each is
 * built once per content.
 */
import { createHash } from "node:crypto";
import { copyFileSync, cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CONSUL_VERSION } from "../../../components/consul/version.ts";
import { fingerprint, imageContext } from "../../../components/hosts/containers/images.ts";
import { machineProgram } from "../../../components/hosts/machines/programs.ts";
import { ensureBaseImage } from "../baseImage.ts";
import { ensureConsul } from "../consul.ts";
import { hasImage } from "../docker.ts";
import { ensureBuilt } from "../nodeImages.ts";
import { engineArchitecture, fetchWheels } from "../onDemandImages.ts";
import { projectRoot } from "../paths.ts";
import type { Progress } from "../progress.ts";
import { ensureMachineImage, machineImageTag } from "./image.ts";

const contextOf = (name: string) => join(projectRoot, "images", name);
const short = (...parts: readonly string[]) =>
  createHash("sha256").update(parts.join("\0")).digest("hex").slice(0, 12);

/** e.g. `understudy/mirror:0123456789ab`: signs and serves what is put into it. */
export async function ensureMirrorImage(progress: Progress): Promise<string> {
  return await ensure(mirrorTag(), progress, async () => {
    await ensureBaseImage(progress);
    await ensureBuilt(mirrorTag(), contextOf("mirror"), progress);
  });
}

/** A mirror with `consul` and `patroni`. The first time Consul is compiled, which takes some minutes. */
export async function ensurePackagesImage(progress: Progress): Promise<string> {
  return await ensure(packagesTag(), progress, async () => {
    const base = await ensureMirrorImage(progress);
    // A copy, so that neither a program nor a package ever lies in the clone.
    const context = mkdtempSync(join(tmpdir(), "understudy-image-packages-"));
    try {
      cpSync(contextOf("packages"), context, { recursive: true });
      const architecture = await engineArchitecture();
      copyFileSync(await ensureConsul(progress, { architecture }), join(context, "consul"));
      copyFileSync(requirements(), join(context, "requirements.txt"));
      await fetchWheels(context, progress);
      await ensureBuilt(packagesTag(), context, progress, { BASE: base, CONSUL_VERSION });
    } finally {
      rmSync(context, { recursive: true, force: true });
    }
  });
}

/** A machine that has the packages of every host of a region already. */
export async function ensureStockedMachineImage(progress: Progress): Promise<string> {
  const programs = (["patroni", "consul", "haproxy"] as const).map((name) =>
    machineProgram(name, { version: 17, pooling: {} }),
  );
  const wanted = programs.flatMap(({ packages, optional }) => [...packages, ...optional]);
  // Those come out of the mirror's pool, as files.
  const packages = [...new Set(wanted)].filter((name) => name !== "patroni" && name !== "consul").sort();
  const context = contextOf("stocked-machine");
  const parts = [fingerprint(context), machineImageTag("trixie"), packagesTag(), ...packages];
  const tag = `understudy/stocked-machine:trixie-${short(...parts)}`;
  return await ensure(tag, progress, async () => {
    const [machine, mirror] = [
      await ensureMachineImage("trixie", progress),
      await ensurePackagesImage(progress),
    ];
    const buildArguments = { MACHINE: machine, MIRROR: mirror, PACKAGES: packages.join(" ") };
    await ensureBuilt(tag, context, progress, buildArguments);
  });
}

function mirrorTag(): string {
  return `understudy/mirror:${fingerprint(contextOf("mirror")).slice(0, 12)}`;
}

function packagesTag(): string {
  const wheels = fingerprint(imageContext("patroni"));
  return `understudy/packages:${short(fingerprint(contextOf("packages")), wheels, CONSUL_VERSION, mirrorTag())}`;
}

/** Patroni's, as they go into its image. */
function requirements(): string {
  return join(imageContext("patroni"), "requirements.txt");
}

async function ensure(tag: string, progress: Progress, build: () => Promise<void>): Promise<string> {
  if (await hasImage(tag)) progress.found(`image: ${tag} is there`);
  else await build();
  return tag;
}
