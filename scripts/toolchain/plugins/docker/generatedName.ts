import { randomBytes } from "node:crypto";
import type { ResourceContext } from "../resourceType.ts";

/** As the engine names what has no name: the resource's name and seven random digits, so that two never meet. */
export function generatedName(context: ResourceContext): string {
  return `${context.name ?? "understudy"}-${randomBytes(4).toString("hex").slice(0, 7)}`;
}

export function isGenerated(name: string, context: ResourceContext): boolean {
  const resource = context.name ?? "understudy";
  return name.startsWith(`${resource}-`) && /^[0-9a-f]{7}$/.test(name.slice(resource.length + 1));
}
