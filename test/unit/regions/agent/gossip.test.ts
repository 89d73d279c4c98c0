/** Who has left is forgotten by every server, although each has a list of its own: without a Consul. */
import { expect, test } from "vitest";
import { inAgent } from "../../../support/agentPython.ts";

/**
 * `lists`: of each server, as what it knows `gone`; null: it does not answer. The word reaches only the server that is told,
 * as if every packet were lost; `deaf`: servers that refuse it.
 */
function forget(lists: Record<string, string | null>, deaf: readonly string[] = []) {
  const script = `import gossip as it
(lists, deaf), told, said, now = given, [], [], [0.0]
it.time.sleep = lambda seconds: now.__setitem__(0, now[0] + seconds)
began = it.time.monotonic()
it.time.monotonic = lambda: began + now[0]
class Consul:
    management, tokens = "m", {}
    def __init__(self, name): self.name = name
    def get(self, path, token=None):
        if lists[self.name] is None: raise it.consulfacts.ConsulError(0, "no answer")
        members = [(name, 1, "consul") for name in lists]
        if lists[self.name] != "": members.append(("gone", {"alive": 1, "left": 3, "failed": 4}[lists[self.name]], "consul"))
        return [{"Name": name, "Addr": name, "Status": status, "Tags": {"role": role}} for name, status, role in members]
    def put(self, path, token, body=None):
        if not path.endswith("?prune=true"): said.append(self.name); return
        told.append(self.name)
        # As Consul does: it answers 500 where it does not know the node.
        if lists[self.name] == "": raise it.consulfacts.ConsulError(500, "agent: No node found")
        if self.name in deaf: raise it.consulfacts.ConsulError(403, "permission denied")
        lists[self.name] = ""
it.Consul, it.at = lambda config, seconds: Consul("s-1"), lambda config, address, seconds: Consul(address)
refusal = None
try: it.forget({"name": "s-1"}, "gone")
except it.Refusal as no: refusal = f"{no.code}: {no}"
tell({"told": sorted(told), "said": said, "refusal": refusal, "waited": now[0]})`;
  interface Outcome {
    readonly told: string[];
    readonly said: string[];
    readonly refusal: string | null;
    readonly waited: number;
  }
  return inAgent<Outcome>(script, [lists, deaf]);
}

test("every server that knows it says the word, in one turn", () => {
  const { told, said, refusal, waited } = forget({ "s-1": "left", "s-2": "failed", "s-3": "left" });
  expect({ told, refusal }).toEqual({ told: ["s-1", "s-2", "s-3"], refusal: null });
  // Before it one of them has set the clocks on.
  expect(said).toEqual(Array(5).fill("s-1"));
  expect(waited).toBeLessThan(2);
});

test("one that has forgotten it already is not told, and whoever was missed still is", () => {
  expect(forget({ "s-1": "", "s-2": "left", "s-3": "" })).toMatchObject({ told: ["s-2"], refusal: null });
});

test("a server that does not answer holds up nobody", () => {
  expect(forget({ "s-1": "left", "s-2": null })).toMatchObject({ told: ["s-1"], refusal: null });
});

test("nobody who is alive is forgotten", () => {
  const { told, refusal } = forget({ "s-1": "alive", "s-2": "left" });
  expect(told).toEqual([]);
  expect(refusal).toMatch(/^E_NODE_ALIVE: .*gone.* is alive; stop it/);
});

test("one that stays is refused after a limit, with who still knows it and why", () => {
  const { refusal, waited } = forget({ "s-1": "left", "s-2": "left", "s-3": "left" }, ["s-3"]);
  expect(refusal).toMatch(
    /^E_NODE_STAYS: Consul's member gone is still left for s-3 after 30 s; s-3: permission denied$/,
  );
  expect(waited).toBeLessThan(33);
});
