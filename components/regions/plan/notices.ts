/** What does not stop a plan and the operator should know. */
import {
  activeOf,
  type Concern,
  type Fleet,
  type HostView,
  hostsOf,
  leaderView,
  type Notice,
  type RegionView,
} from "./fleet.ts";
import { waitingUnitOptions } from "./renewal.ts";
import { hostWords } from "./units.ts";

export const notices: Concern = (fleet) => ({
  notices: [
    ...strictWildcard(fleet),
    ...fleet.regions.flatMap((region) =>
      hostsOf(region).flatMap((host) => [...oldAgent(host), ...unread(host)]),
    ),
    ...(fleet.moment === "preview"
      ? fleet.regions.flatMap((region) => [...unled(region), ...restartedUnits(region)])
      : []),
  ],
});

/**
 * Before version 4.2 (patroni#3435) `synchronous_mode_strict` asks for any standby's confirmation where no member is
 * synchronous, and the standby leader of another region is one. Nothing in the configuration keeps it out.
 */
function strictWildcard({ desired, regions, ...fleet }: Fleet): Notice[] {
  if (desired.policy.synchronous !== "strict" || desired.regions.length < 2) return [];
  const active = activeOf({ desired, regions, ...fleet });
  const patroni = leaderView(active)?.patroni;
  const known = patroni?.version ?? "4.1";
  if (!isBefore42(known)) return [];
  const anySync = patroni?.cluster.members.some(({ syncStandby }) => syncStandby) === true;
  // In everyday life it is so and of no consequence; it is said when a cluster is made, and when it counts.
  if (active.role !== "none" && (patroni?.role !== "primary" || anySync)) return [];
  const now = active.role === "none" ? "" : `${active.name} has no synchronous member at present. `;
  return [
    {
      code: "N_STRICT_WILDCARD",
      message: `${now}While no member of ${active.name} is synchronous, Patroni ${known} lets any standby confirm a commit, also the standby leader of another region: commits then go on, and are on two regions instead of two members. No member of ${active.name} takes over by itself meanwhile; a change of the active region keeps what was confirmed.`,
    },
  ];
}

function isBefore42(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major < 4 || (major === 4 && minor < 2);
}

/** No host is restarted for the sake of its agent. */
function oldAgent({ name, facts, wish }: HostView): Notice[] {
  if (facts.reach !== "up") return [];
  const { running, installed } = facts.report.agent;
  if (running === installed) return [];
  return [
    {
      code: "N_AGENT_OLD",
      message: `${name}: its supervisor runs version ${running} of the agent, ${installed} is installed and takes over when its ${hostWords(wish).unit} is next started.`,
    },
  ];
}

/** Raft's members are known to whom a leader leads; a preview waits for no election beyond the agents' own limit. */
function unled({ name, servers, consul }: RegionView): Notice[] {
  const answers = servers.some(({ facts }) => facts.reach === "up" && facts.report.consul !== null);
  if (consul.led || !answers) return [];
  return [
    {
      code: "N_CONSUL_UNLED",
      message: `The Consul of ${name} has no leader at present, so it cannot be seen who belongs to it: this preview shows no server that is to be taken out of it. The update waits for a leader, looks again, and refuses where too few would be left.`,
    },
  ];
}

/** Of proxies and servers the update itself restarts the units, in turn; those of members are steps of the plan. */
function restartedUnits({ servers, proxies }: RegionView): Notice[] {
  const notice = (host: HostView, costs: string): Notice[] => {
    const options = waitingUnitOptions(host, "preview");
    if (options.length === 0) return [];
    const { unit } = hostWords(host.wish);
    return [
      {
        code: "N_UNIT_RESTART",
        message: `${host.name}: this update restarts its ${unit} (${options.join(", ")}), one host after another: ${costs}.`,
      },
    ];
  };
  return [
    ...servers.flatMap((host) => notice(host, "the other servers of Consul go on, and nobody fails over")),
    ...proxies.flatMap((host) => notice(host, "connections through it are cut once")),
  ];
}

function unread({ name, facts }: HostView): Notice[] {
  if (facts.reach !== "up") return [];
  return facts.report.problems.map((problem) => ({
    code: "N_UNREADABLE",
    message: `${name} could not read a part of its own state: ${problem}`,
  }));
}
