/** What a user may write under the configuration key `failover`: the statement that allows a forced failover. */
import { z } from "zod";
import { field } from "./field.ts";

export const failoverSchema = z.strictObject({
  from: field(z.string(), {
    description:
      "Site or region that is gone. While the statement names it and it is down, nothing is done with it.",
    effect: "none",
  }),
  to: field(z.string(), {
    description: "Site or region that takes over; the same as `active`.",
    effect: "none",
  }),
  fenceConfirmed: field(z.string().optional(), {
    description:
      "Why `from` is certain not to take writes any more, e.g. `powered off by …, ticket …`. What does not answer may still do so.",
    effect: "none",
    derived: "none; needed where `from` has no `fenceCommand`, whose success says it otherwise",
  }),
  at: field(z.string(), {
    description:
      "When this was said, ISO 8601 with a time zone. The failover that it allows uses it up; it never allows a second one.",
    effect: "none",
  }),
  validForMinutes: field(z.int().min(1).max(1440).default(15), {
    description: "How long after `at` the failover may begin.",
    effect: "none",
    unit: "min",
  }),
  acceptDataLoss: field(z.boolean().default(false), {
    description: "Go on although `preview` says that acknowledged writes may be lost.",
    effect: "none",
  }),
});
