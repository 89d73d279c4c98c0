/**
 * Files of this package that are installed as they are, named instead of held: each host's share of Pulumi's state
 * would otherwise be their whole text, twice, and the state is written anew after every step.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";

export interface OwnFile {
  /** Below the package's root. */
  readonly path: string;
  readonly sha256: string;
}

const root = new URL("../../", import.meta.url);

export function ownFile(file: URL): OwnFile {
  return { path: relative(fileURLToPath(root), fileURLToPath(file)), sha256: hashOf(readFileSync(file)) };
}

/** @throws when it is not what it was when the program ran */
export function readOwnFile({ path, sha256 }: OwnFile): string {
  const content = readFileSync(new URL(path, root));
  if (hashOf(content) !== sha256) {
    throw new Error(`${path} was changed while the update ran; run it again`);
  }
  return content.toString("utf8");
}

function hashOf(content: Buffer): string {
  return createHash("sha256").update(content).digest("hex");
}
