/**
 * A `SessionOf` any verbs over a program that reads one JSON request a line and writes one JSON answer a line: a child process
 * such as `docker exec`, or what a channel of an SSH connection runs. It owns the program: a call that takes too
 * long, or an answer that cannot be read, ends it, because what it would say next could no longer be matched to a
 * question.
 */
import type { Readable, Writable } from "node:stream";
import { type CallLimits, NodeError, type SessionOf, type VerbTable } from "../roles/conversation.ts";
import type { Verbs } from "../roles/session.ts";

/** A running program to speak with, wherever it runs. */
export interface Program {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Why nothing more comes, in words, when everything that came has been read. Never rejects. */
  readonly ended: Promise<string>;
  stop(): void;
}

interface Pending {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly restartTimer: () => void;
  readonly onProgress: ((line: string) => void) | undefined;
}

interface Answer {
  /** The greeting, before any question. */
  readonly ready?: boolean;
  readonly protocol?: number;
  readonly id?: number;
  readonly progress?: string;
  readonly result?: unknown;
  readonly error?: { readonly code: string; readonly message: string };
}

/** Raised, here and in the agent's serve.py, when an old agent could misunderstand a request. */
const protocol = 1;
const defaultTimeoutMs = 30_000;
/** An empty line, by which the agent knows that somebody is still there; see `LEASE` in the agent's serve.py. */
const heartbeatMs = 5_000;
/** A host that vanished confirms nothing, and what a closed session would still say is of no use to anybody. */
const closeMs = 2_000;
const keptNoise = 2000;
const shownNoise = 5;

export class LineSession<V extends VerbTable<V> = Verbs> implements SessionOf<V> {
  readonly #node: string;
  readonly #program: Program;
  readonly #pending = new Map<number, Pending>();
  #nextId = 1;
  #unread = "";
  #noise = "";
  #ended: NodeError | undefined;
  readonly #closed: Promise<void>;
  readonly #heartbeat: NodeJS.Timeout;

  constructor(node: string, program: Program) {
    this.#node = node;
    this.#program = program;
    const { stdin, stdout, stderr, ended } = program;
    stdout.setEncoding("utf8").on("data", (chunk: string) => this.#read(chunk));
    stderr.setEncoding("utf8").on("data", (chunk: string) => {
      this.#noise = (this.#noise + chunk).slice(-keptNoise);
    });
    // What a broken pipe means is said by the end of the program.
    stdin.on("error", () => undefined);
    this.#heartbeat = setInterval(() => stdin.write("\n"), heartbeatMs);
    this.#heartbeat.unref();
    this.#closed = ended.then((reason) => this.#end("E_CHANNEL", `${reason}${this.#lastNoise()}`));
  }

  /** Nothing more can be asked. */
  get ended(): boolean {
    return this.#ended !== undefined;
  }

  call<K extends keyof V>(
    verb: K,
    args: V[K]["args"],
    { timeoutMs = defaultTimeoutMs, onProgress }: CallLimits = {},
  ): Promise<V[K]["result"]> {
    if (this.#ended) return Promise.reject(this.#ended);
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const late = () =>
        this.#end(
          "E_TIMEOUT",
          `no answer to ${String(verb)} within ${timeoutMs / 1000} s${this.#lastNoise()}`,
        );
      const timer = setTimeout(late, timeoutMs);
      const settle =
        <T>(then: (value: T) => void) =>
        (value: T) => {
          clearTimeout(timer);
          this.#pending.delete(id);
          then(value);
        };
      this.#pending.set(id, {
        resolve: settle((result) => resolve(result as V[K]["result"])),
        reject: settle(reject),
        restartTimer: () => timer.refresh(),
        onProgress,
      });
      this.#program.stdin.write(`${JSON.stringify({ id, verb, args })}\n`);
    });
  }

  async close(): Promise<void> {
    this.#program.stdin.end();
    this.#end("E_CHANNEL", "the connection was closed");
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, closeMs);
    });
    await Promise.race([this.#closed, late]);
    clearTimeout(timer);
  }

  #read(chunk: string): void {
    const lines = (this.#unread + chunk).split("\n");
    this.#unread = lines.pop() ?? "";
    for (const line of lines) {
      if (line.trim() !== "") this.#take(line);
    }
  }

  #take(line: string): void {
    const said = parse(line);
    if (said === undefined) this.#end("E_PROTOCOL", `it said something that is no answer: ${excerpt(line)}`);
    else if (said.ready) this.#greeted(said.protocol);
    else this.#answered(said);
  }

  #greeted(spoken: number | undefined): void {
    if (spoken !== protocol) this.#end("E_PROTOCOL", `it speaks protocol ${spoken}, we ${protocol}`);
  }

  #answered({ id, error, progress, result }: Answer): void {
    // Nobody is left to whom an answer to a question that was given up could go.
    const pending = this.#pending.get(id ?? -1);
    if (error) pending?.reject(new NodeError(this.#node, error.code, error.message));
    else if (progress === undefined) pending?.resolve(result);
    else {
      pending?.restartTimer();
      pending?.onProgress?.(progress);
    }
  }

  #end(code: string, reason: string): void {
    if (this.#ended) return;
    this.#ended = new NodeError(this.#node, code, reason);
    clearInterval(this.#heartbeat);
    this.#program.stop();
    for (const pending of [...this.#pending.values()]) pending.reject(this.#ended);
  }

  #lastNoise(): string {
    const lines = withoutSecrets(this.#noise).trim().split("\n").slice(-shownNoise).join("\n");
    return lines === "" ? "" : `: ${lines}`;
  }
}

function parse(line: string): Answer | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null && ("id" in value || "ready" in value)
      ? (value as Answer)
      : undefined;
  } catch {
    return undefined;
  }
}

function excerpt(line: string): string {
  return withoutSecrets(line).slice(0, 200);
}

/** The agent writes none; a library that it uses might, in a connection string. */
function withoutSecrets(text: string): string {
  return text
    .replace(/(pass(?:word|wd)?|secret|token)(\s*[=:]\s*)\S+/gi, "$1$2***")
    .replace(/:\/\/([^:@/\s]*):[^@/\s]*@/g, "://$1:***@");
}
