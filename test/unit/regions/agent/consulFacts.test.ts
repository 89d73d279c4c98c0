/** What is seen of Consul while it elects a leader: without a Consul. */
import { expect, test } from "vitest";
import { inAgent } from "../../../support/agentPython.ts";

/** Whoever leads by each question after it, a tenth of a second apart; the last answer stays. `null`: no answer at all. */
function seen(leaders: readonly (string | null)[]) {
  const script = `import consulfacts as it
answers, asked, now = given, [], [0.0]
it.time.sleep = lambda seconds: now.__setitem__(0, now[0] + seconds)
elapsed = it.time.monotonic()
it.time.monotonic = lambda: elapsed + now[0]
class Consul:
    management, tokens = "m", {"agent": "t"}
    def __init__(self, config, seconds): pass
    def ask(self, *_, **__): return {"Healthy": True}
    def get(self, path, token=None):
        if path == "/v1/status/leader":
            answer = answers[min(len(asked), len(answers) - 1)]
            asked.append(path)
            if answer is None: raise it.ConsulError(0, "no answer")
            return answer
        if path == "/v1/agent/members":
            return [{"Name": "c-1", "Addr": "10.0.0.1", "Status": 1, "Tags": {"role": "consul"}}]
        # As Consul does while nobody leads.
        if not answers[min(len(asked) - 1, len(answers) - 1)]: raise it.ConsulError(500, "No cluster leader")
        return {"Servers": [{"Node": "c-1", "Address": "10.0.0.1:8300", "Voter": True, "Leader": True}]}
it.Consul, it.access, it.declared_tokens = Consul, lambda *_: None, lambda: {}
facts, problems = it.look({"role": "server"})
tell({"leader": facts and facts["leader"], "peers": facts and len(facts["peers"]), "problems": problems, "waited": now[0]})`;
  return inAgent<{ leader: unknown; peers: unknown; problems: string[]; waited: number }>(script, leaders);
}

test("a leader that is there is not waited for", () => {
  expect(seen(["10.0.0.1:8300"])).toEqual({ leader: "c-1", peers: 1, problems: [], waited: 0 });
});

test("an election is waited for, and then everything is seen as it is after it", () => {
  const found = seen(["", "", "", "10.0.0.1:8300"]);
  expect(found).toMatchObject({ leader: "c-1", peers: 1, problems: [] });
  expect(found.waited).toBeCloseTo(0.3);
});

test("a Consul that stays without a leader is told as one, after a limit", () => {
  const found = seen([""]);
  expect(found).toMatchObject({ leader: null, peers: 0 });
  expect(found.problems.join()).toContain("No cluster leader");
  expect(found.waited).toBeGreaterThan(2);
  expect(found.waited).toBeLessThan(3);
});

test("a Consul that does not answer is asked once", () => {
  const found = seen([null]);
  expect(found).toEqual({ leader: null, peers: null, problems: ["consul: leader: no answer"], waited: 0 });
});
