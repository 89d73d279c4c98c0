/** The TCP connection below an SSH one, with a limit of its own: a host that is off should cost seconds, not a login's limit. */
import { connect, type Socket } from "node:net";

/**
 * A lost first packet is sent again after one second, and after two more. In a failover that is time without writes, so
 * one that is not answered is followed by another connection's, and the first that is there is taken.
 */
const againEveryMs = 500;

/** `signal`: nobody wants it any more. */
export function openTcp(host: string, port: number, limitMs: number, signal?: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const sockets = new Set<Socket>();
    const end = (): void => {
      clearInterval(again);
      clearTimeout(limit);
      signal?.removeEventListener("abort", abort);
      for (const socket of sockets) socket.destroy();
    };
    const fail = (error: Error): void => {
      end();
      reject(error);
    };
    const attempt = (): void => {
      const socket = connect({ host, port, noDelay: true });
      sockets.add(socket);
      socket.on("error", fail);
      socket.once("connect", () => {
        sockets.delete(socket);
        socket.off("error", fail);
        end();
        resolve(socket);
      });
    };
    const abort = (): void => fail(new Error("it is not wanted any more"));
    const late = (): void => fail(Object.assign(new Error(), { level: "client-timeout" }));
    const again = setInterval(attempt, againEveryMs);
    const limit = setTimeout(late, limitMs);
    signal?.addEventListener("abort", abort, { once: true });
    if (signal?.aborted) abort();
    else attempt();
  });
}
