import { constants } from "node:os";
import { type Printed, Printing, type Stream } from "./printed.ts";
import { openSession, type Session } from "./sshChannel.ts";
import type { Login } from "./sshLogin.ts";

export interface RemoteRun {
  readonly command: string;
  readonly stdin?: string | undefined;
  /** All of these must reach the command. */
  readonly environment: Readonly<Record<string, string>>;
  /** These are left out, with a warning, if the server refuses them. */
  readonly optionalEnvironment: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  line(stream: Stream, text: string): void;
  complain(severity: "warning" | "error", text: string): void;
}

interface Exit {
  readonly code: number | null;
  readonly signal?: string | undefined;
  readonly description?: string | undefined;
}

const howToSet = `This only works if your SSH server is configured to accept these variables via AcceptEnv. Alternatively, if a Bash-like shell runs the command on the remote host, you could prefix the command itself with the variables in the form 'VAR=value command'`;

/** Runs a command to its end over a connection, which a cancellation closes. */
export async function runOver(login: Login, run: RemoteRun): Promise<Printed> {
  const { command, signal } = run;
  const printing = new Printing((stream, text) => run.line(stream, text));
  let session: Session | undefined;
  const stop = (): void => {
    // Closing alone would leave the command running: without a terminal it is not told.
    session?.terminate();
    session?.channel.close();
    login.close();
  };
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) {
    stop();
  }
  try {
    session = await openSession(login.client);
    const ended = end(session, printing);
    await setEnvironment(session, run);
    const started = await session.exec(command);
    if (started) {
      // ssh2 sends it piece by piece, as fast as the command reads.
      session.channel.end(run.stdin);
    }
    const exit = started || signal.aborted || login.lost() ? await ended : undefined;
    if (signal.aborted) {
      throw printing.failure("cancelled", command);
    }
    if (!started) {
      throw printing.failure(login.lost() ?? `ssh: command ${command} failed`, command);
    }
    if (exit?.code !== 0) {
      throw printing.failure(manner(exit, login.lost()), command);
    }
    return printing.printed();
  } catch (error) {
    throw signal.aborted ? printing.failure("cancelled", command) : error;
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

/** Resolves when all that was printed is here, with how the command ended if the server said so. */
function end({ channel }: Session, printing: Printing): Promise<Exit | undefined> {
  let exit: Exit | undefined;
  channel.on("error", () => {});
  channel.stderr.on("error", () => {});
  channel.on("exit", (code: number | null, signal?: string, _dump?: boolean, description?: string) => {
    exit = { code, signal, description };
  });
  printing.read("stdout", channel);
  printing.read("stderr", channel.stderr);
  const closed = [channel, channel.stderr].map(
    (stream) => new Promise((resolve) => stream.once("close", resolve)),
  );
  return Promise.all(closed).then(() => exit);
}

async function setEnvironment(session: Session, run: RemoteRun): Promise<void> {
  for (const [name, value] of Object.entries(run.environment)) {
    if (!(await session.setEnvironment(name, value))) {
      run.complain("error", `Unable to set '${name}'. ${howToSet}`);
      throw new Error(`could not set environment variable "${name}": ssh: setenv failed`);
    }
  }
  for (const [name, value] of Object.entries(run.optionalEnvironment)) {
    if (!(await session.setEnvironment(name, value))) {
      run.complain("warning", `Unable to set '${name}'. ${howToSet}`);
    }
  }
}

/** How a command ended that did not end well, in the official provider's words. */
function manner(exit: Exit | undefined, lost: string | undefined): string {
  if (exit === undefined) {
    const missing = "wait: remote command exited without exit status or exit signal";
    return lost === undefined ? missing : `${missing} (${lost})`;
  }
  if (exit.code !== null) {
    return `Process exited with status ${exit.code}`;
  }
  const number = constants.signals[exit.signal as NodeJS.Signals] ?? 0;
  const why = exit.description ? `. Reason was: ${exit.description}` : "";
  return `Process exited with status ${128 + number} from signal ${exit.signal?.replace(/^SIG/, "")}${why}`;
}
