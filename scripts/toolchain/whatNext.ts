/** What `npm run up` says at its end: who serves, how to get in, and the commands that come next, to be copied as they are. */
import { DEFAULT_STACK } from "./stack.ts";

/** Of the stack's outputs, those that this reads; see `index.ts`. */
export interface Outputs {
  readonly active?: string;
  readonly endpoint?: string;
  readonly nodes?: readonly {
    name: string;
    site: string;
    address: string;
    port: number;
    client: { host: string; port: number };
  }[];
}

export function whatNext({ active, endpoint, nodes }: Outputs, stack: string): string {
  const other = nodes?.find(({ site }) => site !== active)?.site;
  const rows = (nodes ?? []).map(
    ({ name, site, address, port, client }) =>
      `  ${name.padEnd(12)} ${site === active ? "active " : "standby"}  ${address}:${port}${client.host === address ? "" : `, here ${client.host}:${client.port}`}`,
  );
  const { script, pulumi } = commandsFor(stack);
  return [
    `${endpoint ?? stack} is served by ${active ?? "?"}.`,
    ...rows,
    "",
    "Connect (the URI holds a password, so it is shown on demand only):",
    `  psql "$(npm run -s ${pulumi("stack output uri --show-secrets")})"`,
    "",
    "Try next:",
    `  npm run ${script("status")}`,
    // A single region can be moved nowhere.
    ...(other === undefined
      ? []
      : [`  npm run ${pulumi(`config set active ${other}`)} && npm run ${pulumi("preview")}`]),
    `  npm run ${script("down")}`,
  ].join("\n");
}

/** The demo is meant where no stack is named. */
function commandsFor(stack: string) {
  const named = stack === DEFAULT_STACK ? "" : `--stack ${stack}`;
  return {
    script: (name: string) => (named === "" ? name : `${name} -- ${named}`),
    pulumi: (command: string) => `pulumi -- ${[command, named].filter(Boolean).join(" ")}`,
  };
}
