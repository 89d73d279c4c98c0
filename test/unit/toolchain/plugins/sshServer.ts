/** A real SSH server on a port of its own that runs commands with `sh`, as sshd would. */
import { type ChildProcess, spawn } from "node:child_process";
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, connect } from "node:net";
import ssh2, { type Connection, type ServerChannel, type Session } from "ssh2";
import { opensshPrivateKey, opensshPublicKey } from "../../../../scripts/toolchain/plugins/tls/openssh.ts";

export interface KeyPair {
  readonly key: KeyObject;
  readonly private: string;
  /** As in authorized_keys. */
  readonly public: string;
}

export const keys: Readonly<Record<"rsa" | "ed25519" | "ecdsa" | "ecdsa384", KeyPair>> = {
  rsa: keyPair(generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey),
  ed25519: keyPair(generateKeyPairSync("ed25519").privateKey),
  ecdsa: keyPair(generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey),
  ecdsa384: keyPair(generateKeyPairSync("ec", { namedCurve: "P-384" }).privateKey),
};

export function keyPair(key: KeyObject): KeyPair {
  const { type = "", blob = Buffer.alloc(0) } = opensshPublicKey(key) ?? {};
  return { key, private: opensshPrivateKey(key) ?? "", public: `${type} ${blob.toString("base64")}` };
}

export interface ServerOptions {
  readonly hostKeys?: readonly KeyPair[];
  readonly user?: string;
  readonly authorized?: KeyPair;
  readonly password?: string;
  readonly keyboard?: boolean;
  /** Names of the variables that it accepts. */
  readonly acceptEnv?: readonly string[];
  /** Instead of running the command. */
  onExec?(channel: ServerChannel, connection: Connection, command: string): void;
}

export class SshServer {
  /** Connections that were made, and those that are still there. */
  made = 0;
  readonly open = new Set<Connection>();
  /** Methods of the attempts to log in. */
  readonly attempts: string[] = [];
  readonly forwards: string[] = [];
  readonly running = new Set<ChildProcess>();
  readonly #options: ServerOptions;
  readonly #server: ssh2.Server;

  private constructor(options: ServerOptions) {
    this.#options = options;
    const hostKeys = (options.hostKeys ?? [keys.ed25519]).map((pair) => pair.private);
    this.#server = new ssh2.Server({ hostKeys }, (connection) => this.#serve(connection));
  }

  static async of(options: ServerOptions = {}): Promise<SshServer> {
    const server = new SshServer(options);
    server.#server.listen(0, "127.0.0.1");
    await once(server.#server, "listening");
    return server;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  stop(): void {
    for (const connection of this.open) connection.end();
    for (const child of this.running) child.kill("SIGKILL");
    this.#server.close();
  }

  #serve(connection: Connection): void {
    this.made++;
    this.open.add(connection);
    (connection as unknown as { setNoDelay(on: boolean): void }).setNoDelay(true);
    connection.on("close", () => this.open.delete(connection));
    connection.on("error", () => {});
    connection.on("authentication", (context) => {
      this.attempts.push(context.method);
      const { user = "root", authorized, password, keyboard } = this.#options;
      const allowed =
        context.username === user &&
        ((context.method === "publickey" &&
          `${context.key.algo} ${context.key.data.toString("base64")}` ===
            authorized?.public.replace("ssh-rsa", context.key.algo)) ||
          (context.method === "password" && !keyboard && context.password === password));
      if (context.method === "keyboard-interactive" && keyboard) {
        context.prompt([{ prompt: "Password: ", echo: false }], ([answer]) =>
          answer === password ? context.accept() : context.reject(),
        );
      } else if (allowed) {
        context.accept();
      } else {
        context.reject(["publickey", "password", "keyboard-interactive"]);
      }
    });
    connection.on("session", (accept) => this.#session(accept(), connection));
    connection.on("tcpip", (accept, reject, { destIP, destPort }) => {
      this.forwards.push(`${destIP}:${destPort}`);
      const socket = connect(destPort, destIP);
      socket.once("error", () => reject());
      socket.once("connect", () => {
        const channel = accept();
        socket.on("error", () => channel.close());
        channel.on("error", () => {});
        channel.pipe(socket).pipe(channel);
      });
    });
  }

  #session(session: Session, connection: Connection): void {
    const environment: Record<string, string> = {};
    let child: ChildProcess | undefined;
    session.on("env", (accept, reject, { key, val }) => {
      if (this.#options.acceptEnv?.includes(key)) {
        environment[key] = val;
        accept?.();
      } else {
        reject?.();
      }
    });
    session.on("signal", (accept, _reject, { name }) => {
      child?.kill(`SIG${name}` as NodeJS.Signals);
      accept?.();
    });
    session.on("exec", (accept, _reject, { command }) => {
      const channel = accept();
      channel.on("error", () => {});
      if (this.#options.onExec) {
        this.#options.onExec(channel, connection, command);
      } else {
        child = this.#run(command, environment, channel);
      }
    });
  }

  #run(command: string, environment: Record<string, string>, channel: ServerChannel): ChildProcess {
    const child = spawn("/bin/sh", ["-c", command], { env: { PATH: process.env.PATH, ...environment } });
    this.running.add(child);
    child.stdout.pipe(channel, { end: false });
    child.stderr.pipe(channel.stderr, { end: false });
    child.stdin.on("error", () => {});
    channel.pipe(child.stdin);
    child.on("close", (code, signal) => {
      this.running.delete(child);
      if (signal === null) {
        channel.exit(code ?? 0);
      } else {
        channel.exit(signal.slice(3), false, "");
      }
      channel.end();
    });
    return child;
  }
}
