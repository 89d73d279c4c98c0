/**
 * The birth of the deployment: the active node is made by initdb. Only when every node was looked into and none
 * holds anything; otherwise an empty database could take the place of a lost one.
 */
import { nothingToAdopt } from "./adoption.ts";
import { type Contribution, everyNode, type Fleet } from "./fleet.ts";
import { holdsNothing } from "./state.ts";

export function bootstrap(fleet: Fleet): Contribution {
  if (!everyNode(fleet).every((view) => holdsNothing(view.state))) return {};
  const lost = nothingToAdopt(fleet);
  if (lost) return { refusals: [lost] };
  const node = fleet.active.name;
  return {
    steps: [
      { kind: "initdb", node },
      { kind: "start", node, as: "primary" },
    ],
  };
}
