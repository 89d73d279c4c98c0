import type { Duplex } from "node:stream";
import type { Endpoint, Route } from "./endpoint.ts";
import { type Attempts, withRetry } from "./retry.ts";
import { type Login, login } from "./sshLogin.ts";

/** Logs in to the target, with all the patience that its connection asks for, over the proxy if there is one. */
export async function connect({ target, proxy }: Route, attempts: Omit<Attempts, "limit">): Promise<Login> {
  const { signal } = attempts;
  const patience = (endpoint: Endpoint): Attempts => ({ ...attempts, limit: endpoint.dialErrorLimit });
  if (proxy === undefined) {
    return withRetry("Dial", patience(target), () => login(target, signal));
  }
  let outer: Login | undefined;
  try {
    const bastion = await withRetry("Dial proxy", patience(proxy), () => login(proxy, signal));
    outer = bastion;
    // Every attempt gets a channel of its own: one over which a login has failed is of no more use.
    const inner = await withRetry("Dial from proxy", patience(target), async () =>
      login(target, signal, await forwarded(bastion, target, signal)),
    );
    return {
      client: inner.client,
      lost: () => inner.lost() ?? bastion.lost(),
      close() {
        inner.close();
        bastion.close();
      },
    };
  } catch (error) {
    outer?.close();
    throw new Error(`proxy: ${(error as Error).message}`);
  }
}

/** A connection from the proxy to the target. */
function forwarded(
  { client }: Login,
  { host, port, timeoutMs }: Endpoint,
  signal: AbortSignal,
): Promise<Duplex> {
  const dialling = `dial tcp ${host}:${port}`;
  return new Promise((resolve, reject) => {
    const limits = [signal, ...(timeoutMs > 0 ? [AbortSignal.timeout(timeoutMs)] : [])];
    const limit = AbortSignal.any(limits);
    const late = (): void => reject(new Error(`${dialling}: i/o timeout`));
    limit.addEventListener("abort", late, { once: true });
    client.forwardOut("127.0.0.1", 0, host, port, (error, channel) => {
      limit.removeEventListener("abort", late);
      if (error) {
        reject(new Error(`${dialling}: ${error.message}`));
      } else if (limit.aborted) {
        channel.close();
      } else {
        channel.on("error", () => {});
        resolve(channel);
      }
    });
  });
}
