/** Config `repair`: a machine of the deployment, or nothing would be repaired and nobody told. */
import { didYouMean } from "../suggest.ts";
import { list, type StreamingRule } from "./rule.ts";

export const repairRules: readonly StreamingRule[] = [
  {
    code: "E_REPAIR_SITE",
    needs: ["deployment.sites", "deployment.sites.*.target", "deployment.names.server.kind"],
    check: ({ repair, sites, names }) => {
      const machines = [
        ...sites.filter(({ place }) => place.target === "machines").map(({ name }) => name),
        ...(names.server.kind === "machine" ? ["dns"] : []),
      ];
      return Object.keys(repair)
        .filter((host) => !machines.includes(host))
        .map((host) => {
          const known = machines.length === 0 ? "there is none" : `they are ${list(machines)}`;
          const isSite = sites.some(({ name }) => name === host);
          const advice =
            (isSite ? "" : didYouMean(host, machines)) ||
            ` Remove it with \`pulumi config rm --path repair.${host}\`.`;
          const message = `"${host}" ${isSite ? "is in containers" : "is no site"}, and only machines are repaired: ${known}.${advice}`;
          return { path: `repair.${host}`, message };
        });
    },
  },
];
