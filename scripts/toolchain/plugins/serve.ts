import { engineLog } from "./engineLog.ts";
import { grpc, services } from "./proto.ts";
import { resourceProvider, Work } from "./resourceProvider.ts";
import type { ProviderType } from "./resourceType.ts";

/** How long running operations get to stop once the engine is gone; longer than a command's own grace. */
const GRACE_MS = 12_000;

export interface Serving {
  readonly port: number;
  stop(): void;
}

/** Starts a provider's server on a port of its own. */
export async function start(
  provider: ProviderType,
  engine: string | undefined,
  work = new Work(),
): Promise<Serving> {
  const server = new grpc.Server({
    "grpc.max_receive_message_length": -1,
    "grpc.max_send_message_length": -1,
  });
  server.addService(services.ResourceProviderService, resourceProvider(provider, engineLog(engine), work));
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  return { port, stop: () => server.forceShutdown() };
}

/**
 * A plugin's whole main program, as the engine expects it: the address of the engine is the last argument (options for
 * logging and tracing may precede it), and the port goes to stdout.
 */
export async function serve(provider: ProviderType): Promise<void> {
  const engine = process.argv.slice(2).findLast((argument) => /^[^-].*:\d+$/.test(argument));
  const work = new Work();
  const leave = (): void => {
    work.cancelled.abort(new Error("the engine is gone"));
    const latest = Date.now() + GRACE_MS;
    setInterval(() => {
      if (work.running === 0 || Date.now() > latest) {
        process.exit(1);
      }
    }, 50);
  };
  process.once("SIGTERM", leave);
  process.once("SIGINT", leave);
  whenParentDies(leave);
  const { port } = await start(provider, engine, work);
  process.stdout.write(`${port}\n`);
}

/**
 * An engine that is killed cannot say so, and a command that goes on without one would meet the next update's. The
 * start-up wrapper must `exec` this program, so that the parent is the engine.
 */
function whenParentDies(leave: () => void): void {
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid !== parent) {
      clearInterval(watch);
      leave();
    }
  }, 500);
}
