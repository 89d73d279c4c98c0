/** The statement for a forced failover, as far as it can be judged without looking at a site or region. */
import type { Failover } from "../model.ts";
import { didYouMean } from "../suggest.ts";
import { areasOf, areaWords, wholeAreas } from "./areas.ts";
import { type Finding, list, type Rule } from "./rule.ts";

const instant = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/;

export const failoverRules: readonly Rule[] = [
  {
    code: "E_FAILOVER_SITE",
    needs: wholeAreas,
    check: (deployment) => {
      const { failover } = deployment;
      const { one, many } = areaWords(deployment);
      const names = areasOf(deployment).map(({ name }) => name);
      return given(failover, (said) => [
        ...(["from", "to"] as const)
          .filter((key) => !names.includes(said[key]))
          .map((key) => ({
            path: `failover.${key}`,
            message: `"${said[key]}" is not one of ${many} ${list(names)}.${didYouMean(said[key], names)}`,
          })),
        ...(said.from === said.to
          ? [
              {
                path: "failover.to",
                message: `"${said.to}" is also \`from\`; a ${one} cannot take over from itself`,
              },
            ]
          : []),
      ]);
    },
  },
  {
    code: "E_FENCE_STALE",
    needs: ["active"],
    check: ({ failover, active }) =>
      given(failover, ({ to }) =>
        to === active
          ? []
          : [
              {
                path: "failover.to",
                message: `the statement is for a failover to "${to}", and active is "${active}"; remove it with \`pulumi config rm failover\`, or set active`,
              },
            ],
      ),
  },
  {
    code: "E_FENCE_UNCONFIRMED",
    needs: ["deployment.sites.*.fenceCommand", "deployment.regions.*.fenceCommand"],
    check: (deployment) =>
      given(deployment.failover, ({ from, fenceConfirmed }) => {
        const command = areasOf(deployment).find(({ name }) => name === from)?.fenceCommand;
        if (fenceConfirmed === undefined ? command !== undefined : fenceConfirmed.trim() !== "") return [];
        const fault = fenceConfirmed === undefined ? "is missing" : "is empty";
        const otherwise =
          command === undefined ? "" : ", or take it out: the success of its fence command says the same";
        return [
          {
            path: "failover.fenceConfirmed",
            message: `${fault}; write why "${from}" is certain not to take writes any more${otherwise}`,
          },
        ];
      }),
  },
  {
    code: "E_FAILOVER_INSTANT",
    needs: [],
    check: ({ failover }) =>
      given(failover, ({ at }) =>
        instant.test(at) && !Number.isNaN(Date.parse(at))
          ? []
          : [
              {
                path: "failover.at",
                message: `"${at}" is no instant; write one with its time zone, e.g. "2026-06-01T12:00:00Z"`,
              },
            ],
      ),
  },
];

function given(failover: Failover | undefined, check: (said: Failover) => Finding[]): Finding[] {
  return failover === undefined ? [] : check(failover);
}
