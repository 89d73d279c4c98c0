/** Roles, databases and extensions, on whoever takes writes; the others get them by replication. */
import { catalogWork, undeclared, unseen } from "../../roles/plan/catalog.ts";
import type { RegionStep } from "../steps.ts";
import { activeOf, type Concern } from "./fleet.ts";

export const catalog: Concern = (fleet) => {
  const { role, leader, catalog: found } = activeOf(fleet);
  if (role !== "primary" || leader === null) return {};
  if (found === null) return { notices: [unseen(leader)] };
  const { catalog: wish } = fleet.desired;
  return {
    steps: catalogWork(wish, found).map((work): RegionStep => ({ ...work, host: leader })),
    notices: undeclared(wish, found),
  };
};
