/** One primary and 19 standbys, each on a machine of its own: the first `up`, and those that find nothing to do. */
import { TestMachines } from "../support/machines.ts";
import { succeed } from "../support/pairStack.ts";
import { TestStack } from "../support/stack.ts";
import { tidily } from "./cleanUp.ts";
import { loginsRow, manyStandbys, secondsOf, siteNames } from "./setup.ts";
import { mostNewLogins, turnedAway, withNewLogins } from "./sshd.ts";
import type { Row } from "./table.ts";

const sites = 20;
const name = "bench-scale";

export async function manyMachines(rounds: number, say: (line: string) => void): Promise<Row[]> {
  const machines = await TestMachines.start({ name, net: 148, count: sites });
  return await tidily(machines, () =>
    tidily(new TestStack(name, { active: "", deployment: deployment(machines) }), (stack) =>
      measure(stack, machines, rounds, say),
    ),
  );
}

async function measure(
  stack: TestStack,
  { machines }: TestMachines,
  rounds: number,
  say: (line: string) => void,
): Promise<Row[]> {
  const containers = machines.map(({ container }) => container);
  stack.config.active = siteNames(sites)[0] ?? "";
  await stack.init();
  const first = await withNewLogins(containers, () => secondsOf(() => succeed(stack.up())));
  say(
    `first up of ${sites} machines: ${first.result.toFixed(1)} s, logins on a host at most ${mostNewLogins(first.added)}`,
  );
  const seconds: number[] = [];
  const logins: number[] = [];
  for (let round = 1; round <= rounds; round++) {
    const { result, added } = await withNewLogins(containers, () =>
      secondsOf(() => succeed(stack.up("--expect-no-changes"))),
    );
    seconds.push(result);
    logins.push(mostNewLogins(added));
    say(`no-op ${round} of ${rounds}: ${result.toFixed(1)} s, logins on a host at most ${logins.at(-1)}`);
  }
  const refused = await turnedAway(containers);
  if (refused.length > 0) throw new Error(`sshd turned connections away:\n${refused.join("\n")}`);
  say(`no sshd of ${containers.length} turned a connection away`);
  return [
    {
      what: `${sites} bare machines → serving, all standbys synchronised (no connection turned away)`,
      target: "machines",
      values: [first.result],
      wanted: "-",
    },
    {
      what: `\`pulumi up\` with nothing to do, ${sites} sites`,
      target: "machines",
      values: seconds,
      wanted: "≤ 20 s",
    },
    loginsRow(sites, logins),
  ];
}

function deployment(machines: TestMachines) {
  const names = siteNames(sites);
  const site = (index: number) => {
    const machine = machines.machines[index];
    if (!machine) throw new Error(`there is no machine ${index + 1}`);
    return { target: "machines", machine: machines.config(machine) };
  };
  return {
    domain: `${name}.example.test`,
    database: {
      ...manyStandbys(sites),
      clientAccess: [{ databases: ["app"], roles: ["app"], network: machines.subnet }],
    },
    names: { server: { kind: "none" } },
    sites: Object.fromEntries(names.map((each, index) => [each, site(index)])),
  };
}
