/** A client as a user's application would be one: TLS checked in full, over the published ports. */
import pg from "pg";

export interface Target {
  /** The name that the certificate is checked for. */
  readonly host: string;
  /** Where it is. */
  readonly address: string;
  readonly port: number;
}

export interface Access {
  readonly targets: readonly Target[];
  readonly user: string;
  readonly password: string;
  readonly database: string;
  readonly ca: string;
}

/** Takes the stack's output `uri` apart; node-postgres has no multi-host URIs. */
export function accessFrom(uri: string, ca: string): Access {
  const match = /^postgresql:\/\/([^:]+):([^@]+)@([^/]+)\/([^?]+)\?.*hostaddr=([^&]+)/.exec(uri);
  if (!match) throw new Error("not a libpq URI");
  const [, user = "", password = "", hosts = "", database = "", hostaddr = ""] =
    match.map(decodeURIComponent);
  const addresses = hostaddr.split(",");
  const targets = hosts.split(",").map((pair, index) => {
    const [host = "", port = ""] = pair.split(":");
    return { host, port: Number(port), address: addresses[index] ?? "" };
  });
  return { targets, user, password, database, ca };
}

export function clientFor(access: Access, target: Target): pg.Client {
  return new pg.Client({
    host: target.address,
    port: target.port,
    user: access.user,
    password: access.password,
    database: access.database,
    connectionTimeoutMillis: 3000,
    // servername is what the certificate is checked against: the site's own name.
    ssl: { ca: access.ca, rejectUnauthorized: true, servername: target.host },
  });
}

/** Connects to the site that takes writes, as `target_session_attrs=read-write` does. */
export async function connectWritable(access: Access): Promise<pg.Client> {
  const reasons: string[] = [];
  for (const target of access.targets) {
    const client = clientFor(access, target);
    client.on("error", () => undefined);
    try {
      await client.connect();
      const { rows } = await client.query("SHOW transaction_read_only");
      if (rows[0]?.transaction_read_only === "off") return client;
      reasons.push(`${target.host}: read-only`);
      await client.end();
    } catch (error) {
      reasons.push(`${target.host}: ${(error as Error).message}`);
      await client.end().catch(() => undefined);
    }
  }
  throw new Error(`no site takes writes: ${reasons.join("; ")}`);
}
