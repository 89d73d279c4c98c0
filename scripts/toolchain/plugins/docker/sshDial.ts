/**
 * Reaches an engine over SSH by running `docker system dial-stdio` there, as the docker CLI does. The user's own
 * `ssh` does it: it verifies the host key and knows the keys, agents and jump hosts of `~/.ssh/config`.
 */

import { type ChildProcessByStdio, spawn } from "node:child_process";
import { Agent } from "node:http";
import { Duplex, type Readable, type Writable } from "node:stream";

/** The arguments of `ssh` for `ssh://[user@]host[:port]`. */
export function sshArguments(host: string, options: readonly string[]): string[] {
  const url = new URL(host);
  // BatchMode: a question for a password would wait for ever behind the engine.
  const args = ["-T", "-o", "BatchMode=yes", ...options];
  if (url.username !== "") args.push("-l", decodeURIComponent(url.username));
  if (url.port !== "") args.push("-p", url.port);
  const name = url.hostname.replace(/^\[(.*)\]$/, "$1");
  return [...args, "--", name, "docker", "system", "dial-stdio"];
}

/**
 * An HTTP agent whose connections are `ssh` processes. They are kept and reused, a few at most: one connection
 * for every request runs into the SSH server's limit on connections that are starting.
 */
export function sshAgent(host: string, options: readonly string[]): Agent {
  const args = sshArguments(host, options);
  const agent = new Agent({ keepAlive: true, maxSockets: 4 });
  agent.createConnection = () => new Stdio(args);
  return agent;
}

/** The standard input and output of an `ssh` process as one stream, with the methods that HTTP wants of a socket. */
class Stdio extends Duplex {
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  #complaint = "";

  constructor(args: readonly string[]) {
    super();
    const child = spawn("ssh", args, { stdio: ["pipe", "pipe", "pipe"] });
    this.#child = child;
    child.stderr.on("data", (data: Buffer) => {
      this.#complaint = (this.#complaint + data.toString()).slice(-1000);
    });
    child.stdout.on("data", (data: Buffer) => {
      if (!this.push(data)) child.stdout.pause();
    });
    child.stdin.on("error", () => {}); // a broken pipe is told by the exit below
    child.on("error", (error) => this.destroy(error));
    // Not at the end of its output: why it ended is known only when it has.
    child.on("close", (code) => {
      if (code === 0) {
        this.push(null);
        return;
      }
      const why = this.#complaint.trim().split("\n").at(-1) || `ssh ended with ${code}`;
      this.destroy(Object.assign(new Error(why), { code: "ESSH" }));
    });
  }

  override _read(): void {
    this.#child.stdout.resume();
  }

  override _write(data: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#child.stdin.write(data, () => done());
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#child.stdin.end(() => done());
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#child.kill();
    done(error);
  }

  setKeepAlive(): this {
    return this;
  }
  setNoDelay(): this {
    return this;
  }
  setTimeout(): this {
    return this;
  }
  ref(): this {
    return this;
  }
  unref(): this {
    return this;
  }
}
