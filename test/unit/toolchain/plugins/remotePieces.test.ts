import { describe, expect, test } from "vitest";
import { connectionProblem, route } from "../../../../scripts/toolchain/plugins/command/endpoint.ts";
import { fingerprint, parseHostKey } from "../../../../scripts/toolchain/plugins/command/hostKey.ts";
import { Final, withRetry } from "../../../../scripts/toolchain/plugins/command/retry.ts";

/** Made with `ssh-keygen`, as its fingerprint is. */
const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOl9QMCl6cPcWScv498rUtiVPd011jn/DaCSop1ODuot";

describe("route", () => {
  test("fills in the official defaults, and takes the agent from the environment", () => {
    expect(route({ host: "a" }, { SSH_AUTH_SOCK: "/agent" })).toEqual({
      target: {
        host: "a",
        port: 22,
        user: "root",
        agentSocketPath: "/agent",
        dialErrorLimit: 10,
        timeoutMs: 15_000,
      },
    });
    expect(route({ host: "a", agentSocketPath: "/own", port: 2222 }, {}).target).toMatchObject({
      agentSocketPath: "/own",
      port: 2222,
    });
  });

  test("names the proxy in what is wrong with it", () => {
    expect(connectionProblem({ host: "a", proxy: { host: "" } })).toBe("proxy: host is required");
  });
});

describe("withRetry", () => {
  const signal = new AbortController().signal;

  async function attempt(limit: number, failing: () => Error): Promise<{ tries: number; said: string[] }> {
    let tries = 0;
    const said: string[] = [];
    const retrying = (text: string): void => {
      said.push(text);
    };
    await withRetry("Dial", { limit, signal, retrying }, () => {
      tries++;
      return tries > 4 ? Promise.resolve() : Promise.reject(failing());
    }).catch((error: Error) => said.push(error.message));
    return { tries, said };
  }

  test("a limit of 0 is one attempt, and one below 0 is none", async () => {
    const refused = () => new Error("refused");
    expect(await attempt(0, refused)).toEqual({ tries: 1, said: ["after 0 failed attempts: refused"] });
    const unlimited = await attempt(-1, refused);
    expect(unlimited.tries).toBe(5);
    expect(unlimited.said.at(0)).toBe("Dial 1/inf failed: retrying (refused)");
  });

  test("what is final is not tried again", async () => {
    expect(await attempt(10, () => new Final("no"))).toEqual({ tries: 1, said: ["no"] });
  });
});

test("a fingerprint is what ssh-keygen shows", () => {
  expect(fingerprint(parseHostKey(key).blob)).toBe(
    "ssh-ed25519 SHA256:IjhEnbY3yD+PXV7aYri5cuCJZIWOruPQLnwt2zw7lCs",
  );
  expect(parseHostKey(`# a comment\n\n${key}`).algorithms).toEqual(["ssh-ed25519"]);
});
