/**
 * The images that this package builds. A tag is a fingerprint of the build context, so it is known at preview
 * without an engine, an image that is there is never built again, and an edit of a Dockerfile is a new image.
 */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { CONSUL_VERSION } from "../../consul/version.ts";
import type { Account, Program } from "../host.ts";

/** Each has a folder below `images/`; the value is the major version of what is in it. */
const VERSIONS = { postgres: "17", dns: "9" } as const;

/** Built when they are asked for, and not by every set-up. */
const ON_DEMAND_VERSIONS = {
  consul: CONSUL_VERSION,
  patroni: "4.1",
  haproxy: "3.0",
} as const;

/** Numeric uid:gid of the accounts, fixed by the Dockerfiles: volumes outlive images and carry numbers, not names. */
export const accountNumbers: Readonly<Record<Account, string>> = {
  postgres: "999:999",
  bind: "998:998",
  consul: "997:997",
  haproxy: "996:996",
};

export type ImageName = keyof typeof VERSIONS;

export type OnDemandImageName = keyof typeof ON_DEMAND_VERSIONS;

export const imageNames = Object.keys(VERSIONS) as ImageName[];

export const onDemandImageNames = Object.keys(ON_DEMAND_VERSIONS) as OnDemandImageName[];

const imagesFolder = join(dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url))))), "images");

export function imageContext(name: ImageName | OnDemandImageName): string {
  return join(imagesFolder, name);
}

/** e.g. `understudy/postgres:17-0123456789ab`. */
export function imageTag(name: ImageName, context: string = imageContext(name)): string {
  return `understudy/${name}:${VERSIONS[name]}-${fingerprint(context).slice(0, 12)}`;
}

/** As `imageTag`; what goes into the image beside its context counts too: the program's version, and what it is made from. */
export function onDemandImageTag(name: OnDemandImageName): string {
  const parts = [fingerprint(imageContext(name)), ...madeFrom(name)];
  const hash = parts.length === 1 ? parts[0] : createHash("sha256").update(parts.join("\0")).digest("hex");
  return `understudy/${name}:${ON_DEMAND_VERSIONS[name]}-${hash?.slice(0, 12)}`;
}

function madeFrom(name: OnDemandImageName): string[] {
  return name === "patroni" ? [imageTag("postgres"), onDemandImageTag("consul")] : [];
}

/** Of the image that runs a program, whenever it is built. */
export function programTag(program: Program): string {
  const name = imageNames.find((known) => known === program);
  if (name !== undefined) return imageTag(name);
  return onDemandImageTag(program as OnDemandImageName & Program);
}

/** SHA-256 of the names and contents of all files below a folder, in an order that no system changes. */
export function fingerprint(folder: string): string {
  const hash = createHash("sha256");
  for (const file of filesBelow(folder)) {
    const content = readFileSync(join(folder, file));
    hash.update(`${file}\0${content.length}\0`).update(content);
  }
  return hash.digest("hex");
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join("/"))
    .sort();
}
