/** What can go wrong with a connection, in words that say where, what and what to do. Pure. */
import type { SshStop } from "../../../roles/desired.ts";
import { fingerprint } from "./hostKeys.ts";

export type SshErrorCode =
  /** The host showed a key that is not known to be its. Nothing was sent to it. */
  | "E_HOST_KEY"
  /** Our key is not accepted, or cannot be used. */
  | "E_SSH_AUTH"
  | "E_SSH_UNREACHABLE"
  /** It was connected, and then was not. */
  | "E_SSH_CUT"
  /** A command did not end in time. */
  | "E_SSH_TIMEOUT"
  /** Connected, but the server opens no further channel. */
  | "E_SSH_CHANNEL"
  /** The user may not become root without being asked. */
  | "E_SUDO";

export class SshError extends Error {
  readonly code: SshErrorCode;
  constructor(code: SshErrorCode, stop: SshStop, reason: string) {
    super(`${addressOf(stop)}: ${reason}`);
    this.name = "SshError";
    this.code = code;
  }
}

export function addressOf({ user, host, port }: SshStop): string {
  return `${user}@${host}${port === 22 ? "" : `:${port}`}`;
}

/** Marks the one failure that may be the server's mood and not its answer. */
export const droppedEarly = "Connection lost before handshake";

/** As Node and ssh2 describe it. */
export interface RawFailure {
  readonly message: string;
  readonly code?: string | number | undefined;
  readonly level?: string | undefined;
}

export function dialFailure(stop: SshStop, failure: RawFailure, timeoutMs: number): SshError {
  const unreachable = (reason: string) => new SshError("E_SSH_UNREACHABLE", stop, reason);
  const { code, level, message } = failure;
  if (level === "agent") {
    return keyFailure(stop, `the agent at SSH_AUTH_SOCK cannot be used: ${message}`);
  }
  if (level === "client-authentication" || /authentication fail/i.test(message)) {
    return authFailure(stop, message);
  }
  const known = typeof code === "string" ? unreachableBecause(code, stop) : undefined;
  if (known !== undefined) return unreachable(known);
  if (level === "client-timeout") {
    return unreachable(
      `no SSH server answered within ${timeoutMs / 1000} s; is the host up, and does a firewall drop port ${stop.port}?`,
    );
  }
  if (message.startsWith(droppedEarly)) {
    return unreachable(
      "its SSH server closed the connection before saying anything: too many at once (MaxStartups), or it keeps this address away for a while (PerSourcePenalties)",
    );
  }
  return unreachable(`no connection: ${message || String(code ?? "no reason was given")}`);
}

function unreachableBecause(code: string, { host, port }: SshStop): string | undefined {
  const reasons: Readonly<Record<string, string>> = {
    ECONNREFUSED: `nothing listens on port ${port}; is sshd running there, and is the port right?`,
    ENOTFOUND: `there is no host named "${host}"; set the machine's \`host\` to a name that resolves here, or to its address`,
    EAI_AGAIN: `the name "${host}" cannot be looked up, because no name server answers`,
    EHOSTUNREACH: "there is no way to the host (EHOSTUNREACH); is it up, and on this network?",
    ENETUNREACH: "there is no way to its network (ENETUNREACH)",
    ETIMEDOUT: `the host does not answer on port ${port} (ETIMEDOUT)`,
    ECONNRESET: "the connection was reset before it was there (ECONNRESET)",
  };
  return reasons[code];
}

export function authFailure(stop: SshStop, message: string): SshError {
  const { user, keyFile } = stop;
  const key = keyFile === undefined ? "any key of the agent at SSH_AUTH_SOCK" : `the key in ${keyFile}`;
  const tooMany = /too many/i.test(message)
    ? "; the agent may hold more keys than the server allows tries (MaxAuthTries), so name one in `keyFile`"
    : "";
  return new SshError(
    "E_SSH_AUTH",
    stop,
    `the host does not accept ${key} for the user ${user}; add the public key to that user's ~/.ssh/authorized_keys there, or set another \`user\` or \`keyFile\`${tooMany}`,
  );
}

export function keyFailure(stop: SshStop, reason: string): SshError {
  return new SshError("E_SSH_AUTH", stop, reason);
}

/** Somebody else's key, or none to compare with: in either case the fingerprint is what a person can check. */
export function hostKeyFailure(stop: SshStop, shown: Buffer): SshError {
  const { host, port, hostKeys, whyUnknown } = stop;
  const scan = `ssh-keyscan -p ${port} ${host} >> ~/.ssh/known_hosts`;
  const check =
    "`ssh-keygen -lf` of its /etc/ssh/ssh_host_*_key.pub, on the machine itself, says what is right";
  if (hostKeys.length === 0) {
    const why = whyUnknown === undefined ? "" : ` (${whyUnknown})`;
    return new SshError(
      "E_HOST_KEY",
      stop,
      `its host key is not known${why}, so nothing was sent to it. It shows ${fingerprint(shown)}; ${check}. If it is right, add it with \`${scan}\` or set the machine's \`hostKey\`.`,
    );
  }
  return new SshError(
    "E_HOST_KEY",
    stop,
    `it shows another host key than it should, so nothing was sent to it: expected ${hostKeys.map(fingerprint).join(" or ")}, shown ${fingerprint(shown)}. Somebody may stand in between, or the machine was installed anew; ${check}. If it is right, replace what known_hosts or \`hostKey\` says.`,
  );
}

export function cutFailure(stop: SshStop, reason: string): SshError {
  const why = reason.replace("Keepalive timeout", "the host does not answer any more");
  return new SshError("E_SSH_CUT", stop, `the SSH connection was cut: ${why}`);
}

export function channelFailure(stop: SshStop, reason: string): SshError {
  const what = `the host opens no further channel: ${reason}`;
  return new SshError(
    "E_SSH_CHANNEL",
    stop,
    `${what}; are MaxSessions (10 is usual) or ForceCommand set in its sshd_config?`,
  );
}

/** `to`: what is behind it. */
export function forwardFailure(stop: SshStop, to: string, reason: string): SshError {
  return new SshError("E_SSH_UNREACHABLE", stop, `it cannot get to ${to} behind it: ${reason}`);
}

/** What a command said when sudo let it not run; undefined: it was something else. */
export function sudoFailure(stop: SshStop, stderr: string): SshError | undefined {
  const { user } = stop;
  const refusals: readonly (readonly [RegExp, string])[] = [
    [/sudo: .*(password is required|authentication is required)/i, "sudo asks for a password"],
    [/not in the sudoers file|not allowed to (run|execute)|may not run sudo/i, "sudo does not let it"],
    [/must have a tty|no tty present/i, "sudo asks for a terminal (requiretty)"],
    [/sudo.?: (command )?not found|env: .sudo.: No such file/i, "there is no sudo"],
  ];
  const reason = refusals.find(([pattern]) => pattern.test(stderr))?.[1];
  if (reason === undefined) return undefined;
  return new SshError(
    "E_SUDO",
    stop,
    `${user} cannot become root: ${reason}. Let it: \`${user} ALL=(ALL) NOPASSWD: ALL\` in /etc/sudoers.d/understudy there (with \`visudo -f\`), or set the machine's \`user\` to root.`,
  );
}
