import type { Readable } from "node:stream";

export type Stream = "stdout" | "stderr";

export interface Printed {
  readonly stdout: string;
  readonly stderr: string;
}

/** Keeps what a command prints, and tells every line as it is printed. */
export class Printing {
  readonly #both: Buffer[] = [];
  readonly #apart = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
  readonly #line: (stream: Stream, text: string) => void;

  constructor(line: (stream: Stream, text: string) => void) {
    this.#line = line;
  }

  read(stream: Stream, source: Readable | null): void {
    const lines = splitter((text) => this.#line(stream, text));
    source?.on("data", (chunk: Buffer) => {
      this.#both.push(chunk);
      this.#apart[stream].push(chunk);
      lines.push(chunk);
    });
    source?.on("end", lines.end);
  }

  printed(): Printed {
    return { stdout: text(this.#apart.stdout), stderr: text(this.#apart.stderr) };
  }

  /** The official provider's text: how it ended, the command, and all that it printed. */
  failure(how: string, command: string): Error {
    return new Error(`${how}: running ${JSON.stringify(command)}:\n${Buffer.concat(this.#both).toString()}`);
  }
}

function text(chunks: readonly Buffer[]): string {
  const whole = Buffer.concat(chunks).toString();
  return whole.endsWith("\n") ? whole.slice(0, -1) : whole;
}

/** Cuts a stream into lines of any length; a character may be spread over two chunks, a newline is not. */
function splitter(emit: (line: string) => void): { push(chunk: Buffer): void; end(): void } {
  let pending: Buffer[] = [];
  const flush = (): void => {
    emit(Buffer.concat(pending).toString().replace(/\r$/, ""));
    pending = [];
  };
  return {
    push(chunk) {
      let rest = chunk;
      for (let at = rest.indexOf(10); at >= 0; at = rest.indexOf(10)) {
        pending.push(rest.subarray(0, at));
        flush();
        rest = rest.subarray(at + 1);
      }
      if (rest.length > 0) {
        pending.push(rest);
      }
    },
    end() {
      if (pending.length > 0) {
        flush();
      }
    },
  };
}
