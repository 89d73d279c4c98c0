/** Makes one SSH connection: the host proves who it is, we prove who we are, and it is watched from then on. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Client, ConnectConfig } from "ssh2";
import type { SshStop } from "../../../roles/desired.ts";
import { dialFailure, droppedEarly, hostKeyFailure, type RawFailure } from "./failure.ts";
import { hostKeyAlgorithms, isKnown } from "./hostKeys.ts";
import { loginOf } from "./login.ts";
import { openTcp } from "./tcp.ts";

export interface SshLimits {
  /** Until there is a TCP connection: time for several packets that were lost (see tcp.ts), not for a host that is off. */
  readonly tcpMs: number;
  /** From there to the end of the login. */
  readonly connectMs: number;
  /** A host that says nothing is asked; after two questions without an answer the connection has ended. */
  readonly keepaliveMs: number;
}

export const defaultLimits: SshLimits = { tcpMs: 2_000, connectMs: 8_000, keepaliveMs: 3_000 };

/** A server with too many that are logging in drops some before it says a word; those come again. */
const dialsAtMost = 3;
const againAfterMs = 250;

export interface DialOptions {
  /** The way through another host; made anew for each attempt. */
  readonly sock?: (() => Promise<Socket>) | undefined;
  /** Nobody wants the connection any more. */
  readonly signal?: AbortSignal;
}

export async function dial(stop: SshStop, limits: SshLimits, options: DialOptions = {}): Promise<Client> {
  for (let attempt = 1; ; attempt++) {
    const result = await dialOver(stop, limits, options);
    if (!("failure" in result)) return result.client;
    const { failure, shown } = result;
    const wasDropped = failure.message.startsWith(droppedEarly) || failure.code === "ECONNRESET";
    if (shown === undefined && wasDropped && attempt < dialsAtMost && !options.signal?.aborted) {
      await sleep(againAfterMs * attempt * (1 + Math.random()));
      continue;
    }
    if (shown !== undefined) throw hostKeyFailure(stop, shown);
    throw dialFailure(stop, failure, result.limitMs);
  }
}

type Socket = NonNullable<ConnectConfig["sock"]>;

type Dialled =
  | { readonly client: Client }
  /** `shown`: the key that the host showed, if that is why. */
  | { readonly failure: RawFailure; readonly shown?: Buffer | undefined };

async function dialOver(
  stop: SshStop,
  limits: SshLimits,
  { sock: through, signal }: DialOptions,
): Promise<Dialled & { readonly limitMs: number }> {
  // Loading it takes tens of milliseconds, which a deployment without machines does not owe.
  const { default: ssh2 } = await import("ssh2");
  const login = loginOf(stop, ssh2.utils.parseKey);
  const connect = through ?? (() => openTcp(stop.host, stop.port, limits.tcpMs, signal));
  try {
    const sock = await connect();
    return {
      ...(await logIn(new ssh2.Client(), stop, limits, login, sock, signal)),
      limitMs: limits.connectMs,
    };
  } catch (error) {
    if (through) throw error;
    return { failure: error as RawFailure, limitMs: limits.tcpMs };
  }
}

async function logIn(
  client: Client,
  stop: SshStop,
  limits: SshLimits,
  login: ReturnType<typeof loginOf>,
  sock: Socket,
  signal: AbortSignal | undefined,
): Promise<Dialled> {
  return await new Promise<Dialled>((resolve) => {
    let wrong: Buffer | undefined;
    const fail = (failure: RawFailure) => {
      resolve({ failure, shown: wrong });
      client.destroy();
    };
    const abort = () => fail({ message: "it is not wanted any more" });
    signal?.addEventListener("abort", abort, { once: true });
    client.on("error", (error: Error & RawFailure) => fail(error));
    const closed = () => fail({ message: "the server closed the connection" });
    client.once("close", closed);
    client.once("ready", () => {
      client.off("close", closed);
      signal?.removeEventListener("abort", abort);
      resolve({ client });
    });
    client.connect({
      sock,
      username: stop.user,
      authHandler: [login],
      readyTimeout: limits.connectMs,
      keepaliveInterval: limits.keepaliveMs,
      keepaliveCountMax: 2,
      algorithms: {
        serverHostKey: hostKeyAlgorithms(stop.hostKeys),
        // What Node's OpenSSL is fast at, with the check of integrity in the same pass.
        cipher: [...ciphers],
        hmac: ["hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com", "hmac-sha2-256"],
        compress: ["none"],
      },
      hostVerifier: (key: Buffer) => {
        if (isKnown(key, stop.hostKeys)) return true;
        wrong = key;
        return false;
      },
    } as ConnectConfig);
    if (signal?.aborted) abort();
  });
}

const ciphers = [
  ...["aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "chacha20-poly1305@openssh.com"],
  ...["aes256-ctr", "aes192-ctr", "aes128-ctr"],
];
