/**
 * What went wrong, in the words of someone who runs `pulumi up`: which engine, which container, what to do. Never
 * a stack trace, and never a value of the environment that the engine quotes back.
 */

interface EngineError {
  readonly statusCode?: number;
  readonly code?: string;
  readonly message?: string;
  readonly json?: { readonly message?: string } | null;
}

export function statusOf(error: unknown): number | undefined {
  return (error as EngineError).statusCode;
}

/** The engine's own sentence, without the client's prefix. */
export function sentenceOf(error: unknown): string {
  const { json, message } = error as EngineError;
  const sentence = json?.message ?? message ?? String(error);
  return sentence.replace(/^\(HTTP code \d+\) [^-]*- /, "").trim();
}

export const isGone = (error: unknown): boolean => statusOf(error) === 404;

/** `action` completes "Cannot …". */
export function failure(
  error: unknown,
  host: string,
  action: string,
  secrets: readonly string[] = [],
): Error {
  const why = reason(error, host);
  return new Error(redact(`Cannot ${action}: ${why}`, secrets));
}

function reason(error: unknown, host: string): string {
  const { code, statusCode } = error as EngineError;
  const sentence = sentenceOf(error);
  if (statusCode !== undefined) return portInUse(sentence) ?? full(sentence);
  switch (code) {
    case "ENOENT":
      return error instanceof Error && "syscall" in error && error.syscall === "spawn ssh"
        ? `${host} needs the program "ssh", which is not installed here.`
        : `no Docker engine answers at ${host} (there is no such socket). Start Docker, or set the provider's "host".`;
    case "ECONNREFUSED":
      return `no Docker engine answers at ${host} (connection refused). Start Docker, or set the provider's "host".`;
    case "EACCES":
      return `this user may not use the Docker engine at ${host}. Add the user to the group "docker", or run as root.`;
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return `the name in ${host} does not resolve.`;
    case "ETIMEDOUT":
    case "EHOSTUNREACH":
    case "ENETUNREACH":
      return `the Docker engine at ${host} cannot be reached (${code}).`;
    case "ECONNRESET":
    case "EPIPE":
      return `the Docker engine at ${host} closed the connection.`;
    case "ESSH":
      return `the Docker engine at ${host} cannot be reached: ${full(sentence)}`;
    case "ABORT_ERR":
      return "cancelled.";
    default:
      return full(sentence);
  }
}

/** The engine says it in three ways, each wrapped in how it came to know. */
function portInUse(sentence: string): string | undefined {
  const bound = /Bind for (\S+?):(\d+) failed: port is already allocated/.exec(sentence);
  const listening = /listen (?:tcp|udp)[46]? (\S+?):(\d+): bind: address already in use/.exec(sentence);
  const [, address, port] = bound ?? listening ?? [];
  if (port !== undefined) return `port ${port} on ${address} is already in use on the Docker host.`;
  if (/Address already in use/.test(sentence))
    return "the address asked for is already in use on its network.";
  return undefined;
}

function full(sentence: string): string {
  return /[.!?]$/.test(sentence) ? sentence : `${sentence}.`;
}

/** Short values are left: hiding every "1" would hide the message, and none of them is a secret. */
export function redact(message: string, secrets: readonly string[]): string {
  let clean = message;
  for (const secret of [...secrets].sort((a, b) => b.length - a.length)) {
    if (secret.length >= 4) clean = clean.split(secret).join("[hidden]");
  }
  return clean;
}
