/** Patroni's REST interface as anybody may ask it: verified, without a certificate of one's own. */
import { request } from "node:https";

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

/** What is read as JSON; 503 is an answer too where the role is what was asked for. */
export async function restJson<T>(place: RestPlace, path: string): Promise<T> {
  const { status, body } = await rest(place, path);
  if (status !== 200) throw new Error(`${place.name}: GET ${path} says ${status}: ${body}`);
  return JSON.parse(body) as T;
}
