import { describe, expect, test } from "vitest";
import type { RecordedWish } from "../../../components/record/record.ts";
import { routesAgain } from "../../../components/record/routes.ts";
import type { SshRoute, SshStop } from "../../../components/roles/desired.ts";
import type { SshTarget } from "../../../components/spec/model.ts";

const target: SshTarget = {
  ...{ host: "h", port: 22, user: "op", keyFile: undefined, jump: undefined },
  ...{ hostKey: undefined, knownHostsFile: "~/.ssh/known_hosts" },
};
const known: SshStop = {
  host: "h",
  port: 22,
  user: "op",
  hostKeys: ["ssh-ed25519 A"],
  keyFile: "/home/op/key",
};
/** As a runner has it: no known hosts, and another key or none. */
const here: SshStop = { host: "h", port: 22, user: "op", hostKeys: [], whyUnknown: "no such file" };

function again(route: SshRoute, of: SshRoute = known, said: SshTarget = target): SshRoute | undefined {
  const wish = { machines: [{ host: "site-a", route: of }] } as unknown as RecordedWish;
  return routesAgain({ "site-a": said }, { "site-a": route }, wish)["site-a"];
}

describe("a way to a machine, on a machine that cannot go it", () => {
  test("is that of the last update: no known hosts and another key are no change", () => {
    expect(again(here)).toEqual(known);
    expect(again({ ...here, keyFile: "/ci/key" })).toEqual(known);
    expect(again({ ...known, hostKeys: ["ssh-rsa B"] })).toEqual(known);
  });

  test("is the stack file's where that says something else", () => {
    for (const change of [{ host: "other" }, { port: 2222 }, { user: "root" }]) {
      expect(again({ ...here, ...change })).toEqual({ ...here, ...change });
    }
    const said = { ...target, hostKey: "ssh-ed25519 B" };
    expect(again({ ...here, hostKeys: ["ssh-ed25519 B"] }, known, said)).toEqual({
      ...known,
      hostKeys: ["ssh-ed25519 B"],
    });
  });

  test("goes over the same jump host, or over the new one, or over none any more", () => {
    const jump = { ...known, host: "j" };
    expect(again({ ...here, jump: { ...here, host: "j" } }, { ...known, jump })).toEqual({ ...known, jump });
    const other = { ...here, host: "k" };
    expect(again({ ...here, jump: other }, { ...known, jump })).toEqual({ ...known, jump: other });
    expect(again({ ...here, jump: other })).toEqual({ ...known, jump: other });
    expect(again(here, { ...known, jump })).toEqual(known);
  });

  test("is as it is for a machine that the last update did not know", () => {
    expect(routesAgain({ new: target }, { new: here }, {} as RecordedWish)).toEqual({ new: here });
  });
});
