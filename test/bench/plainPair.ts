/**
 * The same two servers without Understudy: same programs, settings, certificates and memory, synchronous, and the
 * script that a competent operator keeps in a drawer. What `pulumi up` does is measured beside it, in the same run.
 */
import { randomBytes } from "node:crypto";
import type { Access } from "../support/client.ts";
import type { Ledger } from "../support/ledger.ts";
import { eventually, sql } from "../support/nodes.ts";
import { other, type PairStack, type Site } from "../support/pairStack.ts";
import { docker } from "../support/stack.ts";
import { plainData as data, type PlainPlace, type PlainPlaces, plainTls as tls } from "./plainPlaces.ts";

const sites: readonly Site[] = ["site-a", "site-b"];

/** Settings that follow from how Understudy lays its files out, or from the role. */
const own = new Set([
  "archive_command",
  "archive_mode",
  "cluster_name",
  "config_file",
  "data_directory",
  "hba_file",
  "ident_file",
  "listen_addresses",
  "port",
  "primary_conninfo",
  "primary_slot_name",
  "recovery_target_timeline",
  "ssl",
  "ssl_ca_file",
  "ssl_cert_file",
  "ssl_crl_file",
  "ssl_key_file",
  "ssl_passphrase_command",
  "synchronous_standby_names",
  "unix_socket_directories",
]);

export class PlainPair {
  readonly #like: PairStack;
  readonly #places: PlainPlaces;
  readonly #password = randomBytes(12).toString("hex");
  #at: Readonly<Record<Site, PlainPlace>> | undefined;
  active: Site = "site-a";

  constructor(like: PairStack, places: PlainPlaces) {
    this.#like = like;
    this.#places = places;
  }

  get way(): string {
    return this.#places.way;
  }

  /** It has the certificates of the other pair's sites, and so their names. */
  get access(): Access {
    const { targets, ...rest } = this.#like.access;
    const at = sites.map((site) => this.#place(site).listens);
    return {
      ...rest,
      password: this.#password,
      targets: targets.map((target, index) => ({ ...target, ...at[index] })),
    };
  }

  get containers(): readonly string[] {
    return sites.map((site) => this.#place(site).container);
  }

  async bringUp(): Promise<void> {
    this.#at = await this.#places.make();
    for (const site of sites) await this.#certify(site);
    await this.#initialise("site-a");
    await this.#copy("site-b");
    const isSync = "SELECT sync_state FROM pg_stat_replication";
    await eventually(30, "the plain standby", async () => {
      return (await this.#place("site-a").sql(isSync)) === "sync" || undefined;
    });
  }

  async remove(): Promise<void> {
    await this.#places.remove();
  }

  #place(site: Site): PlainPlace {
    if (!this.#at) throw new Error("the plain pair is not up");
    return this.#at[site];
  }

  async #certify(site: Site): Promise<void> {
    for (const file of ["ca.crt", "server.crt", "server.key"]) {
      const secret = `/etc/understudy/secrets/${file}`;
      const content = await docker("exec", this.#like.container(site), "cat", secret);
      await this.#place(site).shell(`umask 077; cat > ${tls}/${file} <<'END'\n${content}\nEND`);
    }
  }

  async #initialise(site: Site): Promise<void> {
    const { shell, sql } = this.#place(site);
    const hba = [
      "local all all trust",
      `hostssl replication all ${this.#places.network} trust`,
      "hostssl all all all scram-sha-256",
    ];
    const conf = [
      ...(await this.#settings()),
      "listen_addresses = '*'",
      "ssl = on",
      `ssl_ca_file = '${tls}/ca.crt'`,
      `ssl_cert_file = '${tls}/server.crt'`,
      `ssl_key_file = '${tls}/server.key'`,
      "synchronous_standby_names = '*'",
      "primary_slot_name = 'peer'",
    ];
    await shell(`initdb -k -D ${data} -U postgres --auth=trust > /dev/null`);
    await shell(`cat > ${data}/postgresql.conf <<'END'\n${conf.join("\n")}\nEND`);
    await shell(`cat > ${data}/pg_hba.conf <<'END'\n${hba.join("\n")}\nEND`);
    await shell(start);
    const { user, database } = this.access;
    for (const statement of [
      "SET synchronous_commit = local; SELECT pg_create_physical_replication_slot('peer', true)",
      `SET synchronous_commit = local; CREATE ROLE ${user} LOGIN PASSWORD '${this.#password}'`,
      `SET synchronous_commit = local; CREATE ROLE standby LOGIN REPLICATION`,
    ]) {
      await sql(statement);
    }
    await shell(`PGOPTIONS='-c synchronous_commit=local' createdb -O ${user} ${database}`);
  }

  async #copy(site: Site): Promise<void> {
    const from = other(site);
    const { shell } = this.#place(site);
    await shell(`pg_basebackup -D ${data} -X stream -c fast -d '${this.#source(from)}'`);
    await shell(this.#follow(from));
    await shell(start);
  }

  /** What the real node has from its configuration file, so that both pairs run with the same settings. */
  async #settings(): Promise<string[]> {
    const from = "SELECT name || ' = ' || quote_literal(current_setting(name)) FROM pg_settings";
    const where = "WHERE source = 'configuration file' ORDER BY name";
    const lines = await sql(this.#like.container("site-a"), `${from} ${where}`);
    return lines.split("\n").filter((line) => !own.has(line.split(" ")[0] ?? "") && !line.includes("."));
  }

  #source(site: Site): string {
    const { address } = this.#place(site);
    return `host=${address} user=standby application_name=${other(site)} sslmode=require`;
  }

  #follow(from: Site): string {
    const conninfo = `primary_conninfo = '${this.#source(from)}'`;
    return `touch ${data}/standby.signal; echo "${conninfo}" > ${data}/postgresql.auto.conf`;
  }

  /**
   * As few commands as it can be done with, the standby's start beside the promotion, synchronous throughout.
   * It proves nothing before it promotes, which is what makes it fast.
   */
  async switchOver(): Promise<void> {
    const target = other(this.active);
    const [old, next] = [this.#place(this.active), this.#place(target)];
    await old.sql("CHECKPOINT");
    await next.sql("SELECT pg_create_physical_replication_slot('peer', true)");
    await old.shell(`pg_ctl stop -w -m fast -D ${data} > /dev/null; ${this.#follow(target)}`);
    await Promise.all([next.shell(`pg_ctl promote -w -D ${data} > /dev/null`), old.shell(start)]);
    await old.sql("SELECT pg_drop_replication_slot('peer')");
    this.active = target;
  }

  async settled(): Promise<void> {
    const state = "SELECT sync_state, pg_current_wal_lsn() = replay_lsn FROM pg_stat_replication";
    await eventually(30, "the plain standby has everything", async () => {
      return (await this.#place(this.active).sql(state)) === "sync|t" || undefined;
    });
  }
}

const start = `pg_ctl start -w -D ${data} -l ${data}/../log > /dev/null`;

/** Under load: steady, change, steady again. */
export async function around<T>(ledger: Ledger, change: () => Promise<T>): Promise<T> {
  await pause(1500);
  const result = await change();
  await ledger.acknowledgedAfter();
  await pause(500);
  return result;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
