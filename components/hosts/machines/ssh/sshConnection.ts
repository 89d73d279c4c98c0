/** One connection to a machine, and every command a channel of it. */
import type { Client, ClientChannel } from "ssh2";
import type { SshStop } from "../../../roles/desired.ts";
import type { Program } from "../../lineSession.ts";
import { addressOf, channelFailure, cutFailure, forwardFailure, SshError } from "./failure.ts";
import { Slots } from "./slots.ts";

/** sshd allows ten sessions to a connection (MaxSessions); some room is left for a second reader of that setting. */
const channelsAtOnce = 8;
const defaultExecMs = 30_000;
/** A server that does not confirm the end of a channel, or of the connection, is not waited for. */
const closeMs = 1_000;

export interface ExecOptions {
  readonly stdin?: string;
  /** Waiting for a free channel included. */
  readonly timeoutMs?: number;
}

export interface ExecResult {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number | null;
  readonly signal: string | null;
}

/** How a command ended; nulls: nobody said. */
type End = Pick<ExecResult, "code" | "signal">;

interface Started {
  readonly channel: ClientChannel;
  readonly end: Promise<End>;
}

export class SshConnection {
  /** Resolves when nothing can be done with it any more. */
  readonly ended: Promise<void>;
  /** Another host is in between. */
  readonly isBehind: boolean;
  readonly #stop: SshStop;
  readonly #client: Client;
  readonly #slots = new Slots(channelsAtOnce);
  #cut: SshError | undefined;

  constructor(stop: SshStop, client: Client, jump: SshStop | undefined) {
    this.#stop = stop;
    this.#client = client;
    this.isBehind = jump !== undefined;
    const by = jump === undefined ? "" : ` (it goes through ${addressOf(jump)})`;
    client.on("error", ({ message }) => {
      this.#cut ??= cutFailure(stop, `${message}${by}`);
    });
    this.ended = new Promise((resolve) => {
      client.once("close", () => {
        this.#cut ??= cutFailure(stop, `the host closed it${by}`);
        resolve();
      });
    });
  }

  /** Runs a command to its end. `stdin` is the place for what must not be seen in a list of processes. */
  async exec(
    command: string,
    { stdin = "", timeoutMs = defaultExecMs }: ExecOptions = {},
  ): Promise<ExecResult> {
    const expiry = new AbortController();
    const timer = setTimeout(() => expiry.abort(), timeoutMs);
    const late = new Promise<never>((_, reject) => {
      expiry.signal.addEventListener("abort", () => reject(this.#late(command, timeoutMs)));
    });
    try {
      return await Promise.race([this.#run(command, stdin, expiry.signal), late]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Starts a command and leaves its ends open, for a conversation. */
  async channel(command: string): Promise<Program> {
    const { channel, end } = await this.#open(command);
    let giveUp = () => {};
    const ended = new Promise<string>((resolve) => {
      giveUp = () => resolve("the host does not confirm the end of the channel");
      end.then(({ code, signal }) => {
        const isCut = code === null && signal === null;
        resolve(isCut ? this.#whyCut().message : `the connection ended (${signal ?? `exit ${code}`})`);
      });
    });
    const stop = () => {
      channel.close();
      setTimeout(giveUp, closeMs).unref();
    };
    return { stdin: channel, stdout: channel, stderr: channel.stderr, ended, stop };
  }

  /** A stream to where `to` listens, as seen from this host. */
  async forward({ host, port }: SshStop, timeoutMs: number): Promise<ClientChannel> {
    if (this.#cut) throw this.#cut;
    return await new Promise((resolve, reject) => {
      const refuse = (reason: string) => reject(forwardFailure(this.#stop, `${host}:${port}`, reason));
      let isLate = false;
      const timer = setTimeout(() => {
        isLate = true;
        refuse(`no answer within ${timeoutMs / 1000} s`);
      }, timeoutMs);
      try {
        this.#client.forwardOut("127.0.0.1", 0, host, port, (error, channel) => {
          clearTimeout(timer);
          if (error) refuse(error.message);
          else if (isLate) channel.close();
          else resolve(channel);
        });
      } catch (error) {
        clearTimeout(timer);
        refuse((error as Error).message);
      }
    });
  }

  async close(): Promise<void> {
    const timer = setTimeout(() => this.#client.destroy(), closeMs);
    this.#client.end();
    await this.ended;
    clearTimeout(timer);
  }

  async #run(command: string, stdin: string, expiry: AbortSignal): Promise<ExecResult> {
    const { channel, end } = await this.#open(command, expiry);
    const output = { stdout: "", stderr: "" };
    channel.setEncoding("utf8").on("data", (chunk: string) => {
      output.stdout += chunk;
    });
    channel.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      output.stderr += chunk;
    });
    expiry.addEventListener("abort", () => channel.close());
    channel.end(stdin);
    const { code, signal } = await end;
    if (code === null && signal === null) throw this.#whyCut();
    return { ...output, code, signal };
  }

  async #open(command: string, expiry?: AbortSignal): Promise<Started> {
    const release = await this.#slots.take();
    try {
      expiry?.throwIfAborted();
      const started = await this.#start(command);
      started.end.then(release);
      return started;
    } catch (error) {
      release();
      throw error;
    }
  }

  #start(command: string): Promise<Started> {
    return new Promise((resolve, reject) => {
      if (this.#cut) return reject(this.#cut);
      try {
        this.#client.exec(command, (error, channel) => {
          // At once: a command that has ended already says so in the same packet.
          if (error === undefined) resolve({ channel, end: endOf(channel) });
          else reject(this.#cut ?? channelFailure(this.#stop, error.message));
        });
      } catch (error) {
        reject(this.#cut ?? cutFailure(this.#stop, (error as Error).message));
      }
    });
  }

  #whyCut(): SshError {
    return (
      this.#cut ?? cutFailure(this.#stop, "the host ended the channel and did not say how the command ended")
    );
  }

  #late(command: string, timeoutMs: number): SshError {
    const shown = command.length > 60 ? `${command.slice(0, 60)}…` : command;
    return new SshError("E_SSH_TIMEOUT", this.#stop, `\`${shown}\` did not end within ${timeoutMs / 1000} s`);
  }
}

function endOf(channel: ClientChannel): Promise<End> {
  // What a broken channel means is said by its end.
  channel.on("error", () => undefined);
  return new Promise((resolve) => {
    let end: End = { code: null, signal: null };
    channel.on("exit", (code: number | null, signal?: string) => {
      end = { code, signal: signal ?? null };
    });
    channel.once("close", () => resolve(end));
  });
}
