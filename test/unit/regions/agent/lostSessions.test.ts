/** Which sessions are ended, by what HAProxy's workers say: without a HAProxy. */
import { describe, expect, test } from "vitest";
import { inAgent } from "../../../support/agentPython.ts";

interface Server {
  readonly name?: string;
  readonly status?: string;
  readonly check?: string;
  readonly failed?: number;
  readonly sinceSeconds?: number;
  readonly sessions?: number;
}

interface Worker {
  readonly servers: readonly Server[];
  /** `[pointer, server, state]`. */
  readonly sessions?: readonly (readonly [string, string, number])[];
}

interface Look {
  /** By number; `0` has the admin socket. The master leads to none that is missing, and for 9 it does not answer. */
  readonly workers: Readonly<Record<string, Worker>>;
  readonly old?: readonly number[];
  readonly stopping?: boolean;
  /** What the worker with the admin socket says when it is asked anew. */
  readonly anew?: readonly Server[];
}

const up: Server = { status: "UP", check: "L7OK" };
const failed: Server = { status: "DOWN", check: "L7STS", failed: 2, sinceSeconds: 0 };
/** As a reload begins. */
const unasked: Server = { status: "DOWN", check: "* INI", failed: 0, sinceSeconds: 0 };

function table(servers: readonly Server[]): string {
  const rows = servers.map(
    ({ name = "a-1", status, check, failed: count = 0, sinceSeconds = 0, sessions = 0 }) =>
      ["postgres_write", name, sessions, status, count, sinceSeconds, check, ""].join(","),
  );
  const head = "# pxname,svname,scur,status,chkfail,lastchg,check_status,";
  const ends = ["postgres_write,FRONTEND,9,OPEN,,,,", "postgres_write,BACKEND,9,UP,,0,,"];
  return [head, ...rows, ...ends, "", ""].join("\n");
}

const listed = ({ sessions = [] }: Worker) =>
  [
    ...sessions.map(
      ([pointer, server, state]) =>
        `${pointer}: proto=tcpv4 src=10.0.0.9:40000 fe=write be=postgres_write srv=${server} ts=00 epoch=0 age=3s ` +
        `calls=2 rate=0 scf=[8,0h,fd=14,rex=7h59m,wex=] scb=[${state},1h,fd=15,rex=7h59m,wex=] exp=3s rc=0 c_exp=`,
    ),
    "0x5f00: proto=sockpair src=unix:2 fe=GLOBAL be=<NONE> srv=<none> ts=00 scf=[8,0h,fd=9] scb=[8,1h,fd=-1] exp=10s",
    "",
  ].join("\n");

/** What is told to whom in each look, what it says, and how long it pauses. */
function looks(...given: readonly Look[]) {
  const scripted = given.map(({ workers, old = [], stopping = false, anew }) => ({
    admin: workers[0] && `Pid: 7\nStopping: ${stopping ? 1 : 0}\n\n${table(workers[0].servers)}`,
    anew: anew && `Pid: 7\nStopping: 0\n\n${table(anew)}`,
    old,
    stat: Object.fromEntries(Object.entries(workers).map(([pid, { servers }]) => [pid, table(servers)])),
    sess: Object.fromEntries(Object.entries(workers).map(([pid, worker]) => [pid, listed(worker)])),
  }));
  const script = `import haproxy, lostsessions as it
from files import Refusal
asked, told, said = 0, [], []
def command(text, path=haproxy.ADMIN_SOCKET):
    global asked
    if text == "show info; show stat":
        asked += 1
        answer = look["anew"] if asked == 2 and look.get("anew") else look.get("admin")
        if answer is None:
            raise Refusal("E_HAPROXY", "no answer")
        return answer
    if text == "show proc":
        lines = ["#<PID> <type> <reloads>", "1 master 2", "# workers", "7 worker 0"]
        lines += ["# old workers", *(f"{pid} worker 1" for pid in look["old"])] if look["old"] else []
        return "\\n".join([*lines, "# programs", "", ""])
    if text.startswith("@!9 "):
        raise Refusal("E_HAPROXY", "no answer")
    worker = text.split()[0][2:] if text.startswith("@!") else "0"
    for each in text.split("; "):
        words = each.split()[1:] if text.startswith("@!") else each.split()
        if words[0] == "shutdown":
            told[-1].append([worker, words[2]])
    kind = "stat" if "show stat" in text else "sess" if "show sess" in text else None
    return "" if kind is None else look[kind].get(worker, "Can't connect to the target CLI!\\n")
haproxy.command, it.log = command, said.append
watch, pauses = it.LostSessions(), []
for look in given:
    asked = 0
    told.append([])
    pauses.append(watch.look())
tell({"told": told, "said": said, "pauses": pauses})`;
  return inAgent<{ told: [string, string][][]; said: string[]; pauses: number[] }>(script, scripted);
}

/** One session of an old worker, whose server the new one sees so. */
const left = (verdict: Server, state = 8): Look => ({
  old: [3],
  workers: {
    0: { servers: [verdict] },
    3: { servers: [{ ...up, sessions: 1 }], sessions: [["0xa1", "a-1", state]] },
  },
});

describe("of a worker that a reload has left behind", () => {
  const cases: [string, Server, boolean][] = [
    ["where the new one has seen the server fail", failed, true],
    [
      "where it never found the server up, for longer than one check takes",
      { ...failed, failed: 0, sinceSeconds: 10 },
      true,
    ],
    ["where the server is under maintenance", { status: "MAINT" }, true],
    ["not where the server is up", up, false],
    ["not where one check of it has failed", { ...up, status: "UP 1/2", failed: 1 }, false],
    ["not before its first check", unasked, false],
    ["not before its first check, however late that is", { ...unasked, sinceSeconds: 60 }, false],
    ["not by the first checks alone", { ...failed, check: "* L7TOUT", failed: 0, sinceSeconds: 9 }, false],
    ["not where nobody asks the server", { status: "no check" }, false],
    ["not where the configuration has the server no more", { ...failed, name: "a-9" }, false],
  ];
  test.each(cases)("sessions are ended %s", (_, verdict, ended) => {
    expect(looks(left(verdict)).told).toEqual([ended ? [["3", "0xa1"]] : []]);
  });

  test("who is still being connected is left to `timeout connect`", () => {
    expect(looks(left(failed, 5)).told).toEqual([[]]);
  });

  test("one that has ended meanwhile, or cannot be asked, costs the others nothing", () => {
    const look = left(failed);
    expect(looks({ ...look, old: [2, 9, 3] }).told).toEqual([[["3", "0xa1"]]]);
  });
});

test("sessions of the worker that makes the checks are ended as well, and no other server's", () => {
  const sessions = [
    ["0xb1", "a-1", 8],
    ["0xb2", "a-2", 8],
    ["0xb3", "a-1", 8],
  ] as const;
  const servers = [
    { ...failed, sessions: 2 },
    { ...up, name: "a-2", sessions: 1 },
  ];
  const { told, said } = looks({ workers: { 0: { servers, sessions } } });
  expect(told).toEqual([
    [
      ["0", "0xb1"],
      ["0", "0xb3"],
    ],
  ]);
  expect(said).toEqual(["haproxy: postgres_write/a-1 is down; sessions to it that are ended: 2"]);
});

test("a server that comes up while its sessions are listed keeps them", () => {
  const worker: Worker = { servers: [{ ...failed, sessions: 1 }], sessions: [["0xb1", "a-1", 8]] };
  expect(looks({ workers: { 0: worker }, anew: [{ ...up, sessions: 1 }] }).told).toEqual([[]]);
});

test("each is told once, and said once, while it takes its time to end", () => {
  const { told, said } = looks(left(failed), left(failed), left(failed));
  expect(told).toEqual([[["3", "0xa1"]], [], []]);
  expect(said).toEqual([
    "haproxy: postgres_write/a-1 is down; sessions to it that are ended: 1, 1 of them left behind by a reload",
  ]);
});

test("while nobody answers, or who does makes room for another, nothing is done and less often", () => {
  const { told, pauses } = looks({ workers: {} }, { ...left(failed), stopping: true }, left(up));
  expect(told).toEqual([[], [], []]);
  expect(pauses.slice(0, 2)).toEqual([1, 1]);
  expect(pauses[2]).toBeGreaterThanOrEqual(0.25);
});

test("many are ended with a few requests", () => {
  const sessions = Array.from(
    { length: 120 },
    (_, index) => [`0x${(4096 + index).toString(16)}`, "a-1", 8] as const,
  );
  const { told } = looks({ workers: { 0: { servers: [{ ...failed, sessions: 120 }], sessions } } });
  expect(told[0]).toEqual(sessions.map(([pointer]) => ["0", pointer]));
});
