import { connect } from "node:net";
import type { Duplex } from "node:stream";
import ssh2, { type Client, type ConnectConfig } from "ssh2";
import type { Endpoint } from "./endpoint.ts";
import { fingerprint } from "./hostKey.ts";
import { readablePrivateKey } from "./privateKey.ts";
import { Final } from "./retry.ts";

/** As long as an idle TCP connection of the official provider lives when its other side is gone. */
const KEEPALIVE_MS = 15_000;
const KEEPALIVES_UNANSWERED = 9;

/** How long the other side gets to close a connection that we have ended. */
const CLOSE_MS = 1000;

export interface Login {
  readonly client: Client;
  /** Why the connection broke, once it has. */
  lost(): string | undefined;
  close(): void;
}

type SshError = Error & { readonly level?: string; readonly errors?: readonly Error[] };

/** One attempt to log in, over a connection of its own or over one that a proxy forwards. */
export async function login(endpoint: Endpoint, signal: AbortSignal, through?: Duplex): Promise<Login> {
  const { privateKey, password, hostKey } = endpoint;
  const key = privateKey && readablePrivateKey(privateKey, endpoint.privateKeyPassword);
  const methods = authentication(endpoint);
  let connected = through !== undefined;
  let shown: Buffer | undefined;
  const config: ConnectConfig = {
    username: endpoint.user,
    readyTimeout: endpoint.timeoutMs,
    keepaliveInterval: KEEPALIVE_MS,
    keepaliveCountMax: KEEPALIVES_UNANSWERED,
    authHandler: methods,
    tryKeyboard: password !== undefined,
    ...(key && { privateKey: key, passphrase: endpoint.privateKeyPassword ?? "" }),
    ...(password !== undefined && { password }),
    ...(methods.includes("agent") && { agent: endpoint.agentSocketPath ?? "" }),
    ...(hostKey && {
      algorithms: { serverHostKey: [...hostKey.algorithms] },
      hostVerifier(blob: Buffer) {
        shown = blob;
        return blob.equals(hostKey.blob);
      },
    }),
  };

  const explain = (error: SshError): Error => {
    const reason = error.message || (error.errors ?? []).map(({ message }) => message).join("; ");
    if (hostKey && shown && !shown.equals(hostKey.blob)) {
      return mismatch(`expected ${fingerprint(hostKey.blob)}, the server has ${fingerprint(shown)}`);
    }
    if (hostKey && reason.includes("no matching host key format")) {
      return mismatch(`expected ${fingerprint(hostKey.blob)}, the server has no key of that type`);
    }
    if (error.level === "client-authentication") {
      const tried = `attempted methods [${methods.join(" ")}], no supported methods remain`;
      return new Error(`ssh: handshake failed: ssh: unable to authenticate, ${tried}`);
    }
    const what = error.level === "client-timeout" ? "i/o timeout" : reason;
    return new Error(
      connected ? `ssh: handshake failed: ${what}` : `dial tcp ${endpoint.host}:${endpoint.port}: ${what}`,
    );
  };

  const client = new ssh2.Client();
  const socket = through ?? dial(endpoint);
  let lost: string | undefined;
  const close = (): void => {
    client.end();
    // Not the client's own `destroy`, which leaves a socket alone that is half closed.
    setTimeout(() => socket.destroy(), CLOSE_MS).unref();
  };
  return new Promise<Login>((resolve, reject) => {
    let agentProblem: string | undefined;
    const stop = (): void => fail(new Final("cancelled"));
    const fail = (error: Error): void => {
      signal.removeEventListener("abort", stop);
      socket.destroy();
      reject(agentProblem ? new Error(`${error.message} (${agentProblem})`) : error);
    };
    signal.addEventListener("abort", stop, { once: true });
    client.once("connect", () => {
      connected = true;
    });
    // It stays for as long as the client does: an error that nobody hears would end the plugin.
    client.on("error", (error: SshError) => {
      lost ??= error.message;
      if (error.level === "agent") {
        agentProblem = error.message;
      } else {
        fail(explain(error));
      }
    });
    client.once("close", () => fail(explain(new Error("the connection was closed"))));
    client.on("keyboard-interactive", (_name, _instructions, _language, prompts, answer) =>
      answer(prompts.map(() => password ?? "")),
    );
    client.once("ready", () => {
      signal.removeEventListener("abort", stop);
      lost = undefined;
      resolve({ client, lost: () => lost, close });
    });
    if (signal.aborted) {
      stop();
    } else {
      client.connect({ ...config, sock: socket });
    }
  });
}

/** Without Nagle's algorithm, which costs a login of many short messages half a second. */
function dial({ host, port }: Endpoint): Duplex {
  return connect({ host, port, noDelay: true });
}

/** In the official provider's order; a private key keeps it from the agent's keys, of which there may be too many. */
function authentication({
  privateKey,
  password,
  agentSocketPath,
}: Endpoint): ("none" | "publickey" | "password" | "keyboard-interactive" | "agent")[] {
  return [
    "none",
    ...(privateKey ? ["publickey" as const] : []),
    ...(password !== undefined ? (["password", "keyboard-interactive"] as const) : []),
    ...(agentSocketPath && !privateKey ? ["agent" as const] : []),
  ];
}

function mismatch(how: string): Error {
  return new Final(`ssh: handshake failed: ssh: host key mismatch: ${how}`);
}
