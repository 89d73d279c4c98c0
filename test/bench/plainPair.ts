/**
 * The same two servers without Understudy: same image, settings, certificates and memory, synchronous, and the
 * script that a competent operator keeps in a drawer. What `pulumi up` does is measured beside it, in the same run.
 */
import { randomBytes } from "node:crypto";
import type { Access } from "../support/client.ts";
import type { Ledger } from "../support/ledger.ts";
import { eventually, sql } from "../support/nodes.ts";
import type { PairStack, Site } from "../support/pairStack.ts";
import { docker } from "../support/stack.ts";

const sites: readonly Site[] = ["site-a", "site-b"];
const data = "/var/lib/understudy/plain";
const tls = "/var/lib/understudy/tls";

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
  readonly #name: string;
  readonly #like: PairStack;
  readonly #port: number;
  readonly #subnet: string;
  readonly #password = randomBytes(12).toString("hex");
  active: Site = "site-a";

  constructor(like: PairStack, { name, net, port }: { name: string; net: number; port: number }) {
    this.#like = like;
    this.#name = name;
    this.#port = port;
    this.#subnet = `10.${net}.0`;
  }

  get access(): Access {
    const { targets, ...rest } = this.#like.access;
    const ports = targets.map((target, index) => ({ ...target, port: this.#port + index }));
    return { ...rest, password: this.#password, targets: ports };
  }

  get containers(): readonly string[] {
    return sites.map((site) => this.container(site));
  }

  container(site: Site): string {
    return `${this.#name}-${site}`;
  }

  async bringUp(): Promise<void> {
    await docker("network", "create", "--subnet", `${this.#subnet}.0/24`, this.#name);
    for (const [index, site] of sites.entries()) await this.#create(site, index);
    await this.#initialise("site-a");
    await this.#copy("site-b");
    const isSync = "SELECT sync_state FROM pg_stat_replication";
    await eventually(30, "the plain standby", async () => {
      return (await sql(this.container("site-a"), isSync)) === "sync" || undefined;
    });
  }

  async #create(site: Site, index: number): Promise<void> {
    const model = this.#like.container(site);
    const [image = "", memory = "0"] = (
      await docker("inspect", "-f", "{{.Config.Image}} {{.HostConfig.Memory}}", model)
    ).split(" ");
    const run = ["run", "-d", "--init", "--name", this.container(site), "--network", this.#name];
    const place = ["--ip", this.#address(site), "--memory", memory, "-v", "/var/lib/understudy"];
    const publish = ["-p", `127.0.0.1:${this.#port + index}:5432`];
    await docker(...run, ...place, ...publish, image, "sleep", "infinity");
    await this.#shell(site, `mkdir -m 0700 ${tls}`);
    for (const file of ["ca.crt", "server.crt", "server.key"]) {
      const content = await docker("exec", model, "cat", `/etc/understudy/secrets/${file}`);
      await this.#shell(site, `umask 077; cat > ${tls}/${file} <<'END'\n${content}\nEND`);
    }
  }

  async #initialise(site: Site): Promise<void> {
    const settings = await this.#settings();
    const hba = [
      "local all all trust",
      `hostssl replication all ${this.#subnet}.0/24 trust`,
      "hostssl all all all scram-sha-256",
    ];
    const conf = [
      ...settings,
      "listen_addresses = '*'",
      "ssl = on",
      `ssl_ca_file = '${tls}/ca.crt'`,
      `ssl_cert_file = '${tls}/server.crt'`,
      `ssl_key_file = '${tls}/server.key'`,
      "synchronous_standby_names = '*'",
      "primary_slot_name = 'peer'",
    ];
    await this.#shell(site, `initdb -k -D ${data} -U postgres --auth=trust > /dev/null`);
    await this.#shell(site, `cat > ${data}/postgresql.conf <<'END'\n${conf.join("\n")}\nEND`);
    await this.#shell(site, `cat > ${data}/pg_hba.conf <<'END'\n${hba.join("\n")}\nEND`);
    await this.#shell(site, `pg_ctl start -w -D ${data} -l ${data}/../log > /dev/null`);
    const { user, database } = this.access;
    for (const statement of [
      "SET synchronous_commit = local; SELECT pg_create_physical_replication_slot('peer', true)",
      `SET synchronous_commit = local; CREATE ROLE ${user} LOGIN PASSWORD '${this.#password}'`,
      `SET synchronous_commit = local; CREATE ROLE standby LOGIN REPLICATION`,
    ]) {
      await sql(this.container(site), statement);
    }
    const create = `PGOPTIONS='-c synchronous_commit=local' createdb -O ${user} ${database}`;
    await this.#shell(site, create);
  }

  async #copy(site: Site): Promise<void> {
    const from = peer(site);
    const backup = `pg_basebackup -D ${data} -X stream -c fast -d '${this.#source(from)}'`;
    await this.#shell(site, backup);
    await this.#shell(site, this.#follow(from));
    await this.#shell(site, `pg_ctl start -w -D ${data} -l ${data}/../log > /dev/null`);
  }

  /** What the real node has from its configuration file, so that both pairs run with the same settings. */
  async #settings(): Promise<string[]> {
    const from = "SELECT name || ' = ' || quote_literal(current_setting(name)) FROM pg_settings";
    const where = "WHERE source = 'configuration file' ORDER BY name";
    const lines = await sql(this.#like.container("site-a"), `${from} ${where}`);
    return lines.split("\n").filter((line) => !own.has(line.split(" ")[0] ?? "") && !line.includes("."));
  }

  #address(site: Site): string {
    return `${this.#subnet}.${site === "site-a" ? 11 : 12}`;
  }

  #source(site: Site): string {
    return `host=${this.#address(site)} user=standby application_name=${peer(site)} sslmode=require`;
  }

  #follow(from: Site): string {
    const conninfo = `primary_conninfo = '${this.#source(from)}'`;
    return `touch ${data}/standby.signal; echo "${conninfo}" > ${data}/postgresql.auto.conf`;
  }

  async #shell(site: Site, script: string): Promise<string> {
    return await docker("exec", this.container(site), "sh", "-c", script);
  }

  /**
   * As few `docker exec` as it can be done with, the standby's start beside the promotion, synchronous throughout.
   * It proves nothing before it promotes, which is what makes it fast.
   */
  async switchOver(): Promise<void> {
    const [old, next] = [this.active, peer(this.active)];
    await sql(this.container(old), "CHECKPOINT");
    await sql(this.container(next), "SELECT pg_create_physical_replication_slot('peer', true)");
    await this.#shell(old, `pg_ctl stop -w -m fast -D ${data} > /dev/null; ${this.#follow(next)}`);
    await Promise.all([
      this.#shell(next, `pg_ctl promote -w -D ${data} > /dev/null`),
      this.#shell(old, `pg_ctl start -w -D ${data} -l ${data}/../log > /dev/null`),
    ]);
    await sql(this.container(old), "SELECT pg_drop_replication_slot('peer')");
    this.active = next;
  }

  async settled(): Promise<void> {
    const state = "SELECT sync_state, pg_current_wal_lsn() = replay_lsn FROM pg_stat_replication";
    await eventually(30, "the plain standby has everything", async () => {
      return (await sql(this.container(this.active), state)) === "sync|t" || undefined;
    });
  }

  async remove(): Promise<void> {
    for (const container of this.containers) await docker("rm", "-f", "-v", container).catch(() => undefined);
    await docker("network", "rm", this.#name).catch(() => undefined);
  }
}

function peer(site: Site): Site {
  return site === "site-a" ? "site-b" : "site-a";
}

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
