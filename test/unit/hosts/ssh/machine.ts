/** An SSH server to connect to, a key to do it with, and networks that misbehave. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SshPool } from "../../../../components/hosts/machines/ssh/connection.ts";
import type { SshStop } from "../../../../components/roles/desired.ts";
import { type KeyPair, keys, type ServerOptions, SshServer } from "../../toolchain/plugins/sshServer.ts";

export const hostKey = keys.ed25519;
export const userKey = keys.ecdsa;

/** Everything that a test opens, for one end. */
export class Bench {
  readonly directory = mkdtempSync(join(tmpdir(), "understudy-ssh-"));
  readonly #undo: (() => unknown)[] = [];

  keyFile(name: string, content = userKey.private): string {
    const file = join(this.directory, name);
    writeFileSync(file, content, { mode: 0o600 });
    return file;
  }

  pool(limits: ConstructorParameters<typeof SshPool>[0] = {}): SshPool {
    const pool = new SshPool(limits);
    this.#undo.unshift(() => pool.close());
    return pool;
  }

  async server(options: ServerOptions = {}): Promise<SshServer> {
    const server = await SshServer.of({ authorized: userKey, ...options });
    this.#undo.push(() => server.stop());
    return server;
  }

  stop(port: number, change: Partial<SshStop> = {}): SshStop {
    const known: readonly KeyPair[] = [hostKey];
    const hostKeys = known.map((pair) => pair.public);
    return { host: "127.0.0.1", port, user: "root", hostKeys, keyFile: this.keyFile("id"), ...change };
  }

  /** A port in between; `meet` gets every connection that comes in. */
  async port(meet: (socket: Socket, count: number) => void): Promise<number> {
    let count = 0;
    const sockets = new Set<Socket>();
    const server: Server = createServer((socket) => {
      sockets.add(socket);
      socket.on("error", () => undefined);
      meet(socket, ++count);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    this.#undo.push(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    return (server.address() as AddressInfo).port;
  }

  async end(): Promise<void> {
    for (const undo of this.#undo) await undo();
    rmSync(this.directory, { recursive: true });
  }
}

/** Passes everything on, until it is told to swallow it like a network that is gone. */
export class Wire {
  #isGone = false;

  join(socket: Socket, port: number): void {
    const other = connect(port, "127.0.0.1").on("error", () => undefined);
    socket.on("data", (data) => this.#isGone || other.write(data)).on("close", () => other.destroy());
    other.on("data", (data) => this.#isGone || socket.write(data));
    other.on("close", () => this.#isGone || socket.destroy());
  }

  goes(): void {
    this.#isGone = true;
  }
}

const crowd = `
import socket, sys, time
server = socket.socket()
server.bind(("127.0.0.1", 0))
server.listen(0)
address = server.getsockname()
first = socket.create_connection(address)
print(address[1], flush=True)
time.sleep(float(sys.argv[1]))
kept = []
while True:
    kept.append(server.accept())
`;

/** A port where packets are dropped for so long, as by a network that loses some, and connections are accepted then. */
export async function crowded(forMs: number): Promise<{ port: number; end: () => Promise<unknown> }> {
  const child = spawn("python3", ["-c", crowd, String(forMs / 1000)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  const ended = once(child, "close");
  const end = (): Promise<unknown> => {
    child.kill("SIGKILL");
    return ended;
  };
  return { port: Number(line.toString()), end };
}
