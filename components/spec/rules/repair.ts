/** Config `repair`: a machine of the deployment, or nothing would be repaired and nobody told. */
import { didYouMean } from "../suggest.ts";
import { areaTargets, hostsOnMachines, placedHosts, wholeAreas, wholeHostMaps } from "./areas.ts";
import { list, type Rule } from "./rule.ts";

export const repairRules: readonly Rule[] = [
  {
    code: "E_REPAIR_SITE",
    needs: [...wholeAreas, ...wholeHostMaps, ...areaTargets, "deployment.names.server.kind"],
    check: (deployment) => {
      const { repair, names } = deployment;
      const one = "sites" in deployment ? "site" : "host";
      const machines = [
        ...hostsOnMachines(deployment).map(({ name }) => name),
        ...(names.server.kind === "machine" ? ["dns"] : []),
      ];
      return Object.keys(repair)
        .filter((host) => !machines.includes(host))
        .map((host) => {
          const known = machines.length === 0 ? "there is none" : `they are ${list(machines)}`;
          const isPlaced = placedHosts(deployment).some(({ name }) => name === host);
          const advice =
            (isPlaced ? "" : didYouMean(host, machines)) ||
            ` Remove it with \`pulumi config rm --path repair.${host}\`.`;
          const message = `"${host}" ${isPlaced ? "is in containers" : `is no ${one}`}, and only machines are repaired: ${known}.${advice}`;
          return { path: `repair.${host}`, message };
        });
    },
  },
];
