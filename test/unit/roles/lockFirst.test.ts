/** Taking the lock may mean to wait for a host that is off. What can be done meanwhile is done, and nothing else. */
import { expect, test } from "vitest";
import { apply } from "../../../components/roles/converge.ts";
import { type NodeAccess, NodeError, type Session } from "../../../components/roles/session.ts";
import { desired, nodeIn } from "../../support/facts.ts";

test("conversations begin while a host that is off is waited for, and nothing is asked before the lock is held", async () => {
  const events: string[] = [];
  let giveUp = (): void => {};
  const isOff = new Promise<never>((_, reject) => {
    giveUp = () => reject(new NodeError("b", "E_CHANNEL", "it is off"));
  });
  const session = (name: string) =>
    ({
      call: async (verb: string) => {
        events.push(`${name} ${verb}`);
        return { tookOver: null };
      },
      close: async () => {},
    }) as unknown as Session;
  const a = {
    open: async () => {
      events.push("a open");
      return session("a");
    },
    openAnother: async () => session("a"),
    observe: async () => {
      events.push("a observe");
      return nodeIn("primary", "a", ["b"], "primary");
    },
  } as unknown as NodeAccess;
  const b = {
    open: () => isOff,
    openAnother: () => isOff,
    observe: async () => ({ reach: "unreachable", reason: "it is off" }),
  } as unknown as NodeAccess;
  const access = new Map([
    ["a", a],
    ["b", b],
  ]);
  const applied = apply({ desired: desired("strict"), access, generation: "1", report: () => {} });
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(events).toEqual(["a open"]);
  giveUp();
  await expect(applied).rejects.toThrow("E_NODE_UNREACHABLE");
  expect(events).toEqual(["a open", "a lock", "a observe", "a unlock"]);
});
