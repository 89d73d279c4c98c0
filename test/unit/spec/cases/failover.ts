/** The statement that allows a failover without the old site. */
import type { RuleCase } from "../ruleCase.ts";

const statement = {
  from: "site-a",
  to: "site-b",
  fenceConfirmed: "powered off, ticket 7",
  at: "2026-06-01T11:55:00Z",
};
const stating = (change: Record<string, unknown>, active = "site-b") => ({
  active,
  failover: { ...statement, ...change },
});
const fine = stating({});
const fenced = (site: string) => ({ sites: { [site]: { fenceCommand: { command: ["poweroff", site] } } } });

export const failoverCases: readonly RuleCase[] = [
  {
    code: "E_FAILOVER_SITE",
    wrong: stating({ from: "site-aa" }),
    path: "failover.from",
    message: '"site-aa" is not one of sites [site-a, site-b]. Did you mean "site-a"?',
    fine,
  },
  {
    code: "E_FAILOVER_SITE",
    wrong: stating({ from: "site-b" }),
    path: "failover.to",
    message: '"site-b" is also `from`; a site cannot take over from itself',
    fine: stating({ from: "site-b", to: "site-a" }, "site-a"),
  },
  {
    code: "E_FENCE_STALE",
    wrong: stating({}, "site-a"),
    path: "failover.to",
    message:
      'the statement is for a failover to "site-b", and active is "site-a"; remove it with `pulumi config rm failover`, or set active',
    fine,
  },
  {
    code: "E_FENCE_UNCONFIRMED",
    wrong: stating({ fenceConfirmed: "  " }),
    path: "failover.fenceConfirmed",
    message: 'is empty; write why "site-a" is certain not to take writes any more',
    fine,
  },
  {
    code: "E_FENCE_UNCONFIRMED",
    wrong: stating({ fenceConfirmed: undefined }),
    path: "failover.fenceConfirmed",
    message: 'is missing; write why "site-a" is certain not to take writes any more',
    fine: { ...stating({ fenceConfirmed: undefined }), deployment: fenced("site-a") },
  },
  {
    // It is the lost site's command that counts.
    code: "E_FENCE_UNCONFIRMED",
    wrong: { ...stating({ fenceConfirmed: undefined }), deployment: fenced("site-b") },
    path: "failover.fenceConfirmed",
    message: 'is missing; write why "site-a" is certain not to take writes any more',
    fine: { ...stating({}), deployment: fenced("site-b") },
  },
  {
    code: "E_FENCE_UNCONFIRMED",
    wrong: { ...stating({ fenceConfirmed: "" }), deployment: fenced("site-a") },
    path: "failover.fenceConfirmed",
    message:
      'is empty; write why "site-a" is certain not to take writes any more, or take it out: the success of its fence command says the same',
    fine: { ...stating({}), deployment: fenced("site-a") },
  },
  {
    code: "E_FAILOVER_INSTANT",
    wrong: stating({ at: "2026-06-01T11:55:00" }),
    path: "failover.at",
    message: '"2026-06-01T11:55:00" is no instant; write one with its time zone, e.g. "2026-06-01T12:00:00Z"',
    fine: stating({ at: "2026-06-01T13:55:00.5+02:00" }),
  },
  {
    code: "E_FAILOVER_INSTANT",
    wrong: stating({ at: "2026-13-01T11:55:00Z" }),
    path: "failover.at",
    message:
      '"2026-13-01T11:55:00Z" is no instant; write one with its time zone, e.g. "2026-06-01T12:00:00Z"',
    fine,
  },
];
