/** The commands that `up` says at its end are copied, so each is to be about the stack that came up. */
import { expect, test } from "vitest";
import { type Outputs, whatNext } from "../../../scripts/toolchain/whatNext.ts";

const node = (site: string) => ({
  ...{ name: `${site}-proxy`, site, address: "10.0.0.1", port: 5432 },
  client: { host: "127.0.0.1", port: 15432 },
});

const regions = (...sites: readonly string[]): Outputs => ({
  active: "region-a",
  endpoint: "db.example.test:5432",
  nodes: sites.map(node),
});

const commands = (text: string) => text.split("\n").filter((line) => line.includes("npm run"));

test("another stack than the demo is named by each command", () => {
  expect(commands(whatNext(regions("region-a", "region-b"), "regions"))).toEqual([
    '  psql "$(npm run -s pulumi -- stack output uri --show-secrets --stack regions)"',
    "  npm run status -- --stack regions",
    "  npm run pulumi -- config set active region-b --stack regions && npm run pulumi -- preview --stack regions",
    "  npm run down -- --stack regions",
  ]);
});

test("the demo is not, and where there is nobody to move to no move is offered", () => {
  const text = whatNext(regions("region-a"), "demo");
  expect(commands(text)).toEqual([
    '  psql "$(npm run -s pulumi -- stack output uri --show-secrets)"',
    "  npm run status",
    "  npm run down",
  ]);
  expect(text).toContain("  region-a-proxy active   10.0.0.1:5432, here 127.0.0.1:15432");
});
