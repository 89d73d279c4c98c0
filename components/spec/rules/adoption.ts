/**
 * A data directory that becomes the deployment's. That its site leads at first is not asked here: whether the
 * directory has been adopted already is a fact of the machine, and afterwards any site may lead.
 */
import { posix } from "node:path";
import type { Deployment } from "../model.ts";
import { show } from "../show.ts";
import type { StreamingRule } from "./rule.ts";

/** Directories of ours; see `postgres/paths.ts` and `dns/zone.ts`. */
const ours = [
  "/etc/understudy",
  "/etc/understudy-dns",
  "/var/lib/understudy",
  "/var/lib/understudy-dns",
  "/var/lib/understudy-host",
];
/** Gone after a reboot, or no files at all. */
const passing = ["/dev", "/proc", "/run", "/sys", "/tmp", "/var/run"];

const isBelow = (path: string, outer: string) => path === outer || path.startsWith(`${outer}/`);

const adopting = ({ sites }: Deployment) =>
  sites.flatMap(({ name, place }) => {
    if (place.target !== "machines" || place.machine.adopt === undefined) return [];
    return [
      {
        name,
        adopt: place.machine.adopt,
        onDestroy: place.machine.onDestroy,
        path: `deployment.sites.${name}.machine.adopt`,
      },
    ];
  });

function pathFault(path: string): string | undefined {
  if (!path.startsWith("/")) return "is not an absolute path, e.g. /var/lib/postgresql/17/main";
  const normal = posix.normalize(path).replace(/(.)\/$/, "$1");
  if (path !== normal) return `is not written in its shortest form; write ${show(normal, "")}`;
  if (path === "/") return "is the root of the file system";
  // systemd and PostgreSQL's command lines would each want the rest quoted in a way of its own.
  if (!/^[A-Za-z0-9/._+@:-]+$/.test(path)) return 'may have letters, digits and "/._+@:-" only';
  const own = ours.find((one) => isBelow(path, one) || isBelow(one, path));
  if (own !== undefined) return `is not apart from ${own}, which is the deployment's own`;
  const lost = passing.find((one) => isBelow(path, one));
  return lost && `is below ${lost}, where nothing is kept`;
}

export const adoptionRules: readonly StreamingRule[] = [
  {
    code: "E_ADOPT",
    needs: [],
    check: (deployment) =>
      adopting(deployment).flatMap(({ name, adopt, onDestroy, path }) => {
        const fault = pathFault(adopt);
        const wiped = {
          path: `deployment.sites.${name}.machine.onDestroy`,
          message: '"wipe" would delete a directory that was there before the deployment; write "keep"',
        };
        return [
          ...(fault === undefined ? [] : [{ path, message: `${show(adopt, "")} ${fault}` }]),
          ...(onDestroy === "wipe" ? [wiped] : []),
        ];
      }),
  },
  {
    code: "E_ADOPT_TWICE",
    needs: [],
    check: (deployment) => {
      const [first, ...others] = adopting(deployment);
      return others.map(({ path }) => ({
        path,
        message: `${first?.name} adopts a data directory already, and the other sites are copies of it; take it out`,
      }));
    },
  },
];
