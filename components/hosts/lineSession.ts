/**
 * A `Session` over a program that reads one JSON request a line and writes one JSON answer a line: `docker exec`
 * now, ssh later. It owns the program: a call that takes too long, or an answer that cannot be read, ends it,
 * because what it would say next could no longer be matched to a question.
 */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { type CallLimits, NodeError, type Session, type Verbs } from "../roles/session.ts";

export interface LineSessionArgs {
  readonly node: string;
  readonly command: readonly [string, ...string[]];
  readonly environment?: Readonly<Record<string, string>>;
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
const killAfterMs = 2_000;
const keptNoise = 2000;
const shownNoise = 5;

export class LineSession implements Session {
  readonly #node: string;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #pending = new Map<number, Pending>();
  #nextId = 1;
  #unread = "";
  #noise = "";
  #ended: NodeError | undefined;
  readonly #closed: Promise<void>;

  constructor({ node, command, environment }: LineSessionArgs) {
    this.#node = node;
    const [program, ...args] = command;
    const env = { ...process.env, ...environment };
    this.#child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"], env });
    const { stdin, stdout, stderr } = this.#child;
    stdout.setEncoding("utf8").on("data", (chunk: string) => this.#read(chunk));
    stderr.setEncoding("utf8").on("data", (chunk: string) => {
      this.#noise = (this.#noise + chunk).slice(-keptNoise);
    });
    // What a broken pipe means is said by the end of the program.
    stdin.on("error", () => undefined);
    this.#closed = new Promise((resolve) => {
      this.#child.on("error", (error) => {
        this.#end("E_CHANNEL", `cannot run ${program}: ${error.message}`);
        resolve();
      });
      this.#child.on("close", (code, signal) => {
        this.#end("E_CHANNEL", `the connection ended (${signal ?? `exit ${code}`})${this.#lastNoise()}`);
        resolve();
      });
    });
  }

  /** Nothing more can be asked. */
  get ended(): boolean {
    return this.#ended !== undefined;
  }

  call<V extends keyof Verbs>(
    verb: V,
    args: Verbs[V]["args"],
    { timeoutMs = defaultTimeoutMs, onProgress }: CallLimits = {},
  ): Promise<Verbs[V]["result"]> {
    if (this.#ended) return Promise.reject(this.#ended);
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const late = () =>
        this.#end("E_TIMEOUT", `no answer to ${verb} within ${timeoutMs / 1000} s${this.#lastNoise()}`);
      const timer = setTimeout(late, timeoutMs);
      const settle =
        <T>(then: (value: T) => void) =>
        (value: T) => {
          clearTimeout(timer);
          this.#pending.delete(id);
          then(value);
        };
      this.#pending.set(id, {
        resolve: settle((result) => resolve(result as Verbs[V]["result"])),
        reject: settle(reject),
        restartTimer: () => timer.refresh(),
        onProgress,
      });
      this.#child.stdin.write(`${JSON.stringify({ id, verb, args })}\n`);
    });
  }

  async close(): Promise<void> {
    this.#child.stdin.end();
    this.#end("E_CHANNEL", "the connection was closed");
    await this.#closed;
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
    this.#child.kill("SIGTERM");
    setTimeout(() => this.#child.kill("SIGKILL"), killAfterMs).unref();
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
