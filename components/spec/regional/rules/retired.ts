/** Whoever is retired is nobody's host any more. */
import { hostsAt, type RegionalRule, regionPath } from "./shared.ts";

const retired: RegionalRule = {
  code: "E_RETIRED",
  needs: ["deployment.regions", "deployment.regions.*.retired"],
  check: (deployment) => {
    const declared = new Map(hostsAt(deployment).map(({ name, path }) => [name, path]));
    return deployment.regions.flatMap(({ name: region, retired: names }) =>
      names.flatMap((name) => {
        const message = faultOf(name, declared.get(name));
        return message === null ? [] : [{ path: `${regionPath(region)}.retired`, message }];
      }),
    );
  },
};

function faultOf(name: string, declaredAt: string | undefined): string | null {
  if (declaredAt !== undefined)
    return `${name} is to go and is declared at ${declaredAt}; take it out of one of them`;
  // By its volume alone it is known: the name is part of a name in Docker.
  if (/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(name)) return null;
  return `${JSON.stringify(name)} is not a host's name, which is a DNS label in lower case`;
}

export const retiredRules: readonly RegionalRule[] = [retired];
