/** From the lines of `adopt.sh` to what the plan reads of a data directory that is to be adopted. Pure. */
import type { AdoptionFacts, ForeseenAdoption } from "../../../roles/facts.ts";

/** Words of pg_controldata, and the settings that they are; as in `adoption.py`. */
const ranWithWords: Readonly<Record<string, string>> = {
  "max_connections setting": "max_connections",
  "max_worker_processes setting": "max_worker_processes",
  "max_wal_senders setting": "max_wal_senders",
  "max_prepared_xacts setting": "max_prepared_transactions",
  "max_locks_per_xact setting": "max_locks_per_transaction",
};

type Row = readonly string[];

/** null: there is no data directory to look into. */
export function adoptionOf(rows: readonly Row[]): ForeseenAdoption | null {
  const all = (kind: string) => rows.filter(([first]) => first === kind).map((row) => row.slice(1));
  const one = (kind: string) => all(kind)[0]?.[0];
  const directory = one("directory");
  if (directory === undefined) return null;
  const control = new Map(all("control").map(([word = "", value = ""]) => [word, value]));
  const state = control.get("Database cluster state");
  const signals = all("signal").map(([name]) => name);
  const sizeKiB = Number(one("size") || Number.NaN);
  return {
    found: {
      directory,
      taken: one("taken") === directory,
      obstacle: one("obstacle") ?? null,
      elsewhere: elsewhere(directory, [one("taken"), one("elsewhere")]),
      otherServer: one("server") === undefined ? null : Number(one("server")),
      autoConf: all("autoconf").map(([name = ""]) => name),
      tablespaces: all("tablespace").map(([path = ""]) => path),
      walDirectory: one("wal") ?? null,
      recoverySignal: signals.includes("recovery"),
      preparedTransactions: Number(one("prepared") ?? 0),
      ranWith: Object.fromEntries(
        Object.entries(ranWithWords).flatMap(([word, name]) => {
          const value = control.get(word);
          return value === undefined ? [] : [[name, Number(value)]];
        }),
      ),
      ...(one("server") === undefined ? { access: null, roles: {} } : ofServer(all("sql"))),
    },
    data: {
      state: "ready",
      control: state === undefined ? null : { state },
      standbySignal: signals.includes("standby"),
    },
    settings: all("sql").flatMap(([kind, name = ""]) => (kind === "setting" ? [name] : [])),
    sizeBytes: Number.isNaN(sizeKiB) ? null : sizeKiB * 1024,
  };
}

function elsewhere(directory: string, places: readonly (string | undefined)[]): string | null {
  return places.find((place) => place !== undefined && place !== directory) ?? null;
}

/** What it printed instead of its last line is why it could not be asked. */
function ofServer(rows: readonly Row[]): Pick<AdoptionFacts, "access" | "roles"> {
  const of = (kind: string) => rows.filter(([first]) => first === kind);
  const isSuperuser = of("superuser")[0]?.[1] === "t";
  const said = rows.map((row) => row.join(" ")).findLast((line) => line.trim() !== "");
  const denied = of("end").length === 0 ? (said ?? "psql did not come to its end") : null;
  return {
    access: denied ?? (isSuperuser ? null : 'role "postgres" is no superuser'),
    roles: Object.fromEntries(of("role").map(([, name = "", differs = ""]) => [name, differs])),
  };
}
