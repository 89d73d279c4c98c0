/**
 * What Patroni runs before it stops PostgreSQL (`postgresql.before_stop`). Patroni looks once a second whether a server
 * that it told to stop is down, and gives the lock away only then: most of a planned switchover's gap. While our agent
 * asks for a switchover, this stops the server as Patroni would (`fast`) and is there when it ends, so that Patroni finds
 * it down at once. At any other time it does nothing.
 */

export interface HandoverStop {
  readonly dataDirectory: string;
  /** Written by the agent before it asks: the second of the host's uptime until which it holds, whatever becomes of it. */
  readonly handoverFile: string;
}

/** Patroni waits for its command without a limit, so it has its own; what is not down by then is Patroni's to stop. */
const patienceSeconds = 2;
const pauseSeconds = 0.02;

/** A command line, which Patroni splits as a shell would. */
export function handoverStop({ dataDirectory, handoverFile }: HandoverStop): string {
  const script = [
    `read -r until 2>/dev/null <${handoverFile} || exit 0`,
    "read -r now rest </proc/uptime",
    `[ "\${now%.*}" -lt "$until" ] || exit 0`,
    `read -r pid 2>/dev/null <${dataDirectory}/postmaster.pid || exit 0`,
    'kill -INT "$pid"',
    `end=$((\${now%.*}+${patienceSeconds}))`,
    `while [ -d "/proc/$pid" ] && read -r now rest </proc/uptime && [ "\${now%.*}" -le "$end" ]; do sleep ${pauseSeconds}; done`,
  ].join("; ");
  if (script.includes("'")) throw new Error(`a path with a quote: ${dataDirectory}, ${handoverFile}`);
  return `/bin/sh -c '${script}'`;
}
