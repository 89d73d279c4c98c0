/**
 * What does not fit is refused, with the host, the value and what to do, and leaves the machine as it was; what somebody
 * changed on a machine of ours is told. On bare machines.
 */
import { existsSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { SshPool } from "../../components/hosts/machines/ssh/connection.ts";
import { driftOf } from "../../components/hosts/machines/survey/drift.ts";
import { judge } from "../../components/hosts/machines/survey/judge.ts";
import { survey } from "../../components/hosts/machines/survey/survey.ts";
import { observeAndPlan } from "../../components/outlook.ts";
import { loginsOf, machineFingerprint, onMachine, TestMachines } from "../support/machines.ts";
import { type SurveyedOptions, surveyedDeployment } from "../support/surveyed.ts";

let machines: TestMachines;
const a = () => machines.machine("a").container;

beforeAll(async () => {
  machines = await TestMachines.start({ name: "sur", net: 96 });
});
afterAll(async () => {
  await machines?.remove();
});

interface Change {
  readonly machineA?: Record<string, unknown>;
  readonly machineB?: Record<string, unknown>;
  readonly siteA?: Record<string, unknown>;
  readonly database?: Record<string, unknown>;
}

function deployment({ machineA, machineB, siteA, database }: Change = {}) {
  const options: SurveyedOptions = {
    machines: {
      "site-a": { ...machines.config(machines.machine("a")), ...machineA },
      "site-b": { ...machines.config(machines.machine("b")), ...machineB },
    },
    sites: { "site-a": { ...siteA } },
    ...(database === undefined ? {} : { database }),
    readFile: (path) => (existsSync(path) ? readFileSync(path, "utf8") : undefined),
  };
  return surveyedDeployment(options);
}

/** What an update would say before it makes anything; and that looking left no trace on the machine. */
async function refusals(change: Change = {}): Promise<string[]> {
  const before = await machineFingerprint(a());
  const { desired, wishes } = deployment(change);
  const outlook = await observeAndPlan(desired, wishes);
  expect(await machineFingerprint(a())).toBe(before);
  return outlook.refusals.map(({ code, message }) => `${code}  ${message}`);
}

/** On site-a's machine, for as long as `then` takes. */
async function meanwhile<T>(make: string, undo: string, then: () => Promise<T>): Promise<T> {
  await onMachine(a(), make);
  try {
    return await then();
  } finally {
    await onMachine(a(), undo);
  }
}

describe("bare machines", () => {
  test("fit, and are asked over one connection each", async () => {
    const logins = await loginsOf(a());
    expect(await refusals()).toEqual([]);
    expect(await loginsOf(a())).toBe(logins + 1);
  });

  test("their facts are those that the machine itself gives", async () => {
    const { wishes } = deployment();
    const pool = new SshPool();
    const { "site-a": found } = await survey(wishes, pool);
    await pool.close();
    if (found?.reach !== "up") throw new Error(JSON.stringify(found));
    const { facts } = found;
    expect(facts.os).toMatchObject({ id: "debian", version: "13", codename: "trixie" });
    expect(facts.architecture).toBe(await onMachine(a(), "dpkg --print-architecture"));
    expect(facts.machineId).toBe(await onMachine(a(), "cat /etc/machine-id"));
    expect(facts.init).toBe("running");
    expect(facts.cpus).toBe(Number(await onMachine(a(), "nproc")));
    expect(Math.abs(facts.clockOffset.atLeastSeconds)).toBeLessThan(1);
    expect(facts.clockOffset.atMostSeconds).toBeGreaterThanOrEqual(facts.clockOffset.atLeastSeconds);
    expect(facts.filesystems["/var/lib/understudy"]?.freeMiB).toBeGreaterThan(1000);
  });
});

describe("refused, and nothing is changed", () => {
  test("E_PORT_TAKEN: who has it", async () => {
    // 5432 is 1538 in base 16, 0A: it listens.
    const make = `systemd-run --quiet --unit sur-listener systemd-socket-activate -l 5432 cat
      for i in $(seq 100); do grep -q ':1538 .* 0A ' /proc/net/tcp /proc/net/tcp6 && exit; sleep 0.1; done; exit 1`;
    await meanwhile(make, "systemctl stop sur-listener", async () => {
      expect(await refusals()).toEqual([
        expect.stringMatching(
          /^E_PORT_TAKEN {2}site-a \(10\.96\.0\.11\): port 5432\/tcp is taken by systemd-socket.* \(sur-listener\.service\).*set another port/,
        ),
      ]);
    });
  });

  test("E_DISK: the number and what it is for", async () => {
    const make = "mkdir /var/lib/understudy; mount -t tmpfs -o size=64m tmpfs /var/lib/understudy";
    await meanwhile(make, "umount /var/lib/understudy; rmdir /var/lib/understudy", async () => {
      expect(await refusals({ database: { slotWalKeepMiB: 2048 } })).toEqual([
        expect.stringMatching(
          /^E_DISK {2}site-a .* has 64 MiB free on \/var\/lib\/understudy and needs 2560 MiB: 2048 MiB of WAL .*slotWalKeepMiB/,
        ),
      ]);
    });
  });

  test("E_READ_ONLY", async () => {
    const make = "mkdir /var/lib/understudy; mount -t tmpfs -o ro,size=8g tmpfs /var/lib/understudy";
    await meanwhile(make, "umount /var/lib/understudy; rmdir /var/lib/understudy", async () => {
      expect(await refusals()).toEqual([
        expect.stringMatching(/^E_READ_ONLY {2}site-a .*: \/var\/lib\/understudy .* cannot be written/),
      ]);
    });
  });

  test("E_FOREIGN_DATA: it is named, and never overwritten", async () => {
    const make = "mkdir -p /var/lib/understudy/pgdata; echo secret-canary > /var/lib/understudy/pgdata/x";
    await meanwhile(make, "rm -r /var/lib/understudy", async () => {
      const [said, ...more] = await refusals();
      expect(more).toEqual([]);
      expect(said).toMatch(/^E_FOREIGN_DATA {2}site-a .* \/var\/lib\/understudy \(pgdata\).*move it away/);
    });
  });

  test("E_OWNER: the other deployment is named", async () => {
    const make = `mkdir -p /var/lib/understudy-host; echo '{"deployment":"other","host":"site-x","address":"x"}' > /var/lib/understudy-host/owner`;
    await meanwhile(make, "rm -r /var/lib/understudy-host", async () => {
      expect(await refusals()).toEqual([
        expect.stringMatching(/^E_OWNER {2}site-a .* belongs to the deployment other \(its host site-x/),
      ]);
    });
  });

  test("E_ADOPT: what is wrong with the directory", async () => {
    const adopt = "/srv/old";
    const refused = () => refusals({ machineA: { adopt } });
    expect(await refused()).toContainEqual(expect.stringMatching(/^E_ADOPT .*\/srv\/old.*no such directory/));
    await meanwhile("mkdir /srv/old", "true", async () => {
      expect(await refused()).toContainEqual(expect.stringMatching(/^E_ADOPT .*no PG_VERSION/));
    });
    await meanwhile("echo 15 > /srv/old/PG_VERSION", "rm -r /srv/old", async () => {
      expect(await refused()).toContainEqual(
        expect.stringMatching(/^E_ADOPT .*of PostgreSQL 15.*`database.version` is 17/),
      );
    });
  });

  test("E_PACKAGE: what would help", async () => {
    const said = await refusals({ database: { version: 16 } });
    expect(said).toContainEqual(
      expect.stringMatching(
        /^E_PACKAGE {2}site-a .*postgresql-16.*packageMirror.*`database.version` to 17\.$/,
      ),
    );
    expect(said.filter((line) => line.startsWith("E_PACKAGE"))).toHaveLength(2);
  });

  test("E_MEMORY", async () => {
    expect(await refusals({ siteA: { memoryMiB: 4_000_000 } })).toContainEqual(
      expect.stringMatching(/^E_MEMORY {2}site-a .* memoryMiB is 4000000/),
    );
  });

  test("sudo that asks for a password: the line that is missing", async () => {
    await machines.addUser(machines.machine("a"), "asked", "ALL");
    const [said, ...more] = await refusals({ machineA: { user: "asked" } });
    expect(more).toEqual([]);
    expect(said).toMatch(
      /site-a does not answer: E_SUDO.*asked@10\.96\.0\.11.*asked ALL=\(ALL\) NOPASSWD: ALL/,
    );
  });

  test("a user with sudo is as good as root", async () => {
    await machines.addUser(machines.machine("a"), "free", "NOPASSWD: ALL");
    expect(await refusals({ machineA: { user: "free" } })).toEqual([]);
  });

  test("E_SAME_MACHINE: one host under two spellings", async () => {
    const undo = "ip address del 10.96.0.77/24 dev eth0";
    await meanwhile("ip address add 10.96.0.77/24 dev eth0", undo, async () => {
      const hostKey = (await onMachine(a(), "cat /etc/ssh/ssh_host_ed25519_key.pub"))
        .split(" ")
        .slice(0, 2)
        .join(" ");
      expect(await refusals({ machineB: { host: "10.96.0.77", hostKey } })).toEqual([
        expect.stringMatching(
          /^E_SAME_MACHINE {2}site-a \(10\.96\.0\.11\) and site-b \(10\.96\.0\.77\) are one machine/,
        ),
      ]);
    });
  });

  test("an unreachable host, and another host's key: why, of both at once", async () => {
    const hostKey = (
      await onMachine(machines.machine("b").container, "cat /etc/ssh/ssh_host_ed25519_key.pub")
    )
      .split(" ")
      .slice(0, 2)
      .join(" ");
    const said = await refusals({ machineA: { hostKey }, machineB: { port: 2222 } });
    expect(said).toEqual([
      expect.stringMatching(/site-a does not answer: E_HOST_KEY.*SHA256:/),
      expect.stringMatching(/site-b does not answer: E_SSH_UNREACHABLE.*port 2222/),
    ]);
  });

  test("everything at once", async () => {
    const make = "mkdir -p /var/lib/understudy/x; mkdir /etc/understudy; touch /etc/understudy/y";
    await meanwhile(make, "rm -r /var/lib/understudy /etc/understudy", async () => {
      const said = await refusals({ siteA: { memoryMiB: 4_000_000 }, database: { version: 16 } });
      expect(said.map((line) => line.split(" ")[0]).sort()).toEqual([
        "E_FOREIGN_DATA",
        "E_MEMORY",
        "E_PACKAGE",
        "E_PACKAGE",
      ]);
    });
  });
});

describe("drift on a machine of ours", () => {
  const install = `set -e
    mkdir -p -m 700 /var/lib/understudy-host/manifests; mkdir -p /etc/understudy/secrets
    echo '{"deployment":"sur","host":"site-a","address":"10.96.0.11"}' > /var/lib/understudy-host/owner
    for n in $(seq 60); do echo "content $n" > /etc/understudy/file$n.conf; chmod 640 /etc/understudy/file$n.conf; done
    echo secret-canary > /etc/understudy/secrets/password; chmod 600 /etc/understudy/secrets/password
    printf '[Service]\\nExecStart=/bin/sleep 100000\\n[Install]\\nWantedBy=multi-user.target\\n' > /etc/systemd/system/understudy-postgres.service
    systemctl daemon-reload; systemctl -q enable understudy-postgres
    for path in /etc/understudy/*.conf /etc/understudy/secrets/* /etc/systemd/system/understudy-postgres.service; do
      echo "$(sha256sum <$path | cut -d ' ' -f 1) $(stat -c '0%a %u:%g' $path) $path"
    done > /var/lib/understudy-host/manifests/site-a-files`;

  async function drift(): Promise<{ text: string; ms: number }> {
    const { wishes } = deployment();
    const pool = new SshPool();
    const wish = wishes.filter(({ host }) => host === "site-a");
    await pool.connection(wish[0]?.route ?? expect.unreachable());
    const begin = performance.now();
    const surveys = await survey(wish, pool);
    const ms = performance.now() - begin;
    await pool.close();
    expect(JSON.stringify(surveys)).not.toContain("canary");
    expect(judge(wish, surveys).refusals).toEqual([]);
    return {
      text: driftOf(wish, surveys, false)
        .notices.map(({ message }) => message)
        .join("\n"),
      ms,
    };
  }

  beforeAll(async () => {
    await onMachine(a(), install);
  });

  test("none, and that is known quickly", async () => {
    const { text, ms } = await drift();
    expect(text).toBe("");
    // Alone on a machine it takes 150 ms; others share this one.
    expect(ms).toBeLessThan(3_000);
  });

  test("content, mode, owner and absence of files; a secret's without a word of it", async () => {
    await onMachine(
      a(),
      `cd /etc/understudy; echo more >> file1.conf; chmod 644 file2.conf; chown 1:1 file3.conf; rm file4.conf
       echo other-canary > secrets/password`,
    );
    const { text } = await drift();
    for (const said of [
      "/etc/understudy/file1.conf was changed by hand (content)",
      "/etc/understudy/file2.conf was changed by hand (mode 644 and not 640)",
      "/etc/understudy/file3.conf was changed by hand (owner 1:1 and not 0:0)",
      "/etc/understudy/file4.conf was changed by hand (missing)",
      "/etc/understudy/secrets/password was changed by hand (content)",
      `pulumi config set --path 'repair.site-a' "$(date +%FT%T)"`,
    ]) {
      expect(text).toContain(said);
    }
  });

  test.each([
    ["systemctl disable -q understudy-postgres", "systemctl enable -q understudy-postgres", "is disabled"],
    [
      "mkdir /etc/systemd/system/understudy-postgres.service.d; printf '[Service]\\nNice=1\\n' > /etc/systemd/system/understudy-postgres.service.d/x.conf; systemctl daemon-reload",
      "rm -r /etc/systemd/system/understudy-postgres.service.d; systemctl daemon-reload",
      "drop-ins of somebody's (/etc/systemd/system/understudy-postgres.service.d/x.conf)",
    ],
    [
      "mv /etc/systemd/system/understudy-postgres.service /srv; systemctl mask -q understudy-postgres",
      "systemctl unmask -q understudy-postgres; mv /srv/understudy-postgres.service /etc/systemd/system; systemctl daemon-reload",
      "understudy-postgres.service is masked",
    ],
  ])("a unit: %s", async (make, undo, said) => {
    await meanwhile(make, undo, async () => expect((await drift()).text).toContain(said));
  });
});
