/** Patroni's REST interface as anybody may ask it: verified, without a certificate of one's own. */
import { request } from "node:https";
import { docker } from "./stack.ts";

export interface RestPlace {
  /** In the certificate. */
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly ca: string;
}

export interface RestAnswer {
  readonly status: number;
  readonly body: string;
}

export interface ClusterMember {
  readonly name: string;
  readonly role: "leader" | "standby_leader" | "sync_standby" | "quorum_standby" | "replica";
  readonly state: string;
  readonly timeline?: number;
  /** Bytes behind the leader; "unknown" of one that does not answer. */
  readonly lag?: number | string;
}

export interface Cluster {
  readonly members: readonly ClusterMember[];
  readonly pause?: boolean;
}

/** A line of `GET /history`: how each timeline ended. */
export type Failovers = readonly (readonly [
  timeline: number,
  lsn: number,
  reason: string,
  ...rest: string[],
])[];

export async function rest(
  { name, address, port, ca }: RestPlace,
  path: string,
  { method = "GET", body }: { method?: string; body?: string } = {},
): Promise<RestAnswer> {
  return await new Promise((resolve, reject) => {
    const asked = request(
      { host: address, port, servername: name, ca, path, method, timeout: 3000, agent: false },
      (answer) => {
        let text = "";
        answer.on("data", (chunk) => {
          text += chunk;
        });
        answer.on("end", () => resolve({ status: answer.statusCode ?? 0, body: text }));
        answer.on("error", reject);
      },
    );
    asked.on("timeout", () => asked.destroy(new Error(`${name}: ${path}: no answer for 3 s`)));
    asked.on("error", reject);
    asked.end(body);
  });
}

const askInside = `
import ssl, sys, urllib.error, urllib.request
_, address, path = sys.argv
context = ssl.create_default_context(cafile="/etc/understudy/secrets/ca.crt")
with urllib.request.urlopen(f"https://{address}{path}", timeout=3, context=context) as answer:
    sys.stdout.write(answer.read().decode())
`;

/** The same from on the host itself: a machine's firewall admits nobody else but the other hosts. */
export async function restJsonInside<T>(container: string, place: RestPlace, path: string): Promise<T> {
  const address = `${place.address}:${place.port}`;
  return JSON.parse(await docker("exec", container, "python3", "-Ic", askInside, address, path)) as T;
}

/** What is read as JSON; 503 is an answer too where the role is what was asked for. */
export async function restJson<T>(place: RestPlace, path: string): Promise<T> {
  const { status, body } = await rest(place, path);
  if (status !== 200) throw new Error(`${place.name}: GET ${path} says ${status}: ${body}`);
  return JSON.parse(body) as T;
}
