/** A deployment on machines as the program would survey it before anything is installed. */
import { desiredState } from "../../components/desiredState.ts";
import { routesOf } from "../../components/hosts/machines/routes.ts";
import type { SurveyWish } from "../../components/hosts/machines/survey/wish.ts";
import { machineWishes } from "../../components/outlook.ts";
import type { Desired } from "../../components/roles/desired.ts";
import { parse } from "../../components/spec/parse.ts";
import { renderProblems } from "../../components/spec/problems.ts";

export interface SurveyedOptions {
  /** By site: `machine` of the configuration. */
  readonly machines: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** By site: what else is said of it. */
  readonly sites?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly database?: Readonly<Record<string, unknown>>;
  readonly repair?: Readonly<Record<string, string>>;
  readonly readFile: (path: string) => string | undefined;
}

export function surveyedDeployment(options: SurveyedOptions): { desired: Desired; wishes: SurveyWish[] } {
  const { machines, sites = {}, database = {}, repair, readFile } = options;
  const parsed = parse({
    stack: "sur",
    active: Object.keys(machines)[0],
    deployment: {
      domain: "sur.example.test",
      database: { kind: "streaming", ...database },
      sites: Object.fromEntries(
        Object.entries(machines).map(([name, machine]) => [
          name,
          { target: "machines", address: machine.host, ...sites[name], machine },
        ]),
      ),
      names: { server: { kind: "none" } },
    },
    ...(repair === undefined ? {} : { repair }),
  });
  if (!parsed.ok) throw new Error(renderProblems(parsed.problems));
  const { deployment } = parsed;
  const routes = routesOf(deployment, { home: "/root", secretKeyFile: undefined, readFile });
  const desired = desiredState(deployment, {}, routes);
  return { desired, wishes: machineWishes(deployment, desired.nodes, routes) };
}
