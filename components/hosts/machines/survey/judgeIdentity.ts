/** Two names that are one machine: a standby there would be no second site at all. */
import type { Refusal } from "../../../roles/steps.ts";
import type { MachineFacts } from "./facts.ts";
import type { Surveys } from "./survey.ts";
import type { SurveyWish } from "./wish.ts";

interface Seen {
  readonly wish: SurveyWish;
  readonly facts: MachineFacts;
}

export function identityRefusals(wishes: readonly SurveyWish[], surveys: Surveys): Refusal[] {
  const seen = wishes.flatMap((wish) => {
    const survey = surveys[wish.host];
    return survey?.reach === "up" ? [{ wish, facts: survey.facts }] : [];
  });
  const pairs = seen.flatMap((one, index) => seen.slice(index + 1).map((other) => [one, other] as const));
  return pairs.flatMap(([one, other]) => [...same(one, other), ...clones(one, other)]);
}

/** The name server may be where another host is. Any two others have their directories and their note in one place. */
function same(one: Seen, other: Seen): Refusal[] {
  if (!isSameMachine(one.facts, other.facts) || one.wish.ownerNote !== other.wish.ownerNote) return [];
  return [
    {
      code: "E_SAME_MACHINE",
      message: `${spelled(one)} and ${spelled(other)} are one machine under two names: both answer with machine-id ${one.facts.machineId} and the same boot. Each needs a machine of its own: correct the \`host\` of one.`,
    },
  ];
}

/** Who has one's host key can pose as the other. */
function clones(one: Seen, other: Seen): Refusal[] {
  const [a, b] = [one.facts, other.facts];
  const sharedKey = a.hostKeys.some((key) => b.hostKeys.includes(key));
  if (isSameMachine(a, b) || !sharedKey) return [];
  const ids =
    a.machineId === b.machineId ? "the same machine-id and SSH host keys" : "the same SSH host keys";
  return [
    {
      code: "N_CLONES",
      message: `${spelled(one)} and ${spelled(other)} have ${ids}: they are clones of one image, and each can pose as the other. Make new ones on one of them: rm /etc/ssh/ssh_host_* /etc/machine-id, then ssh-keygen -A and systemd-machine-id-setup, and reboot it.`,
    },
  ];
}

export function isSameMachine(a: MachineFacts, b: MachineFacts): boolean {
  return a.boot !== "" && a.boot === b.boot && a.machineId === b.machineId;
}

function spelled({ wish: { host, route } }: Seen): string {
  return `${host} (${route.host}${route.port === 22 ? "" : `:${route.port}`})`;
}
