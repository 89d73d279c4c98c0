import { engineStubs, grpc } from "./proto.ts";

export type Severity = "debug" | "info" | "warning" | "error";

/** Where a plugin's messages go; `flushed` resolves once the engine has all that were sent so far. */
export interface EngineLog {
  log(urn: string, severity: Severity, message: string): void;
  flushed(): Promise<void>;
}

/**
 * Sends messages to the engine, which shows them under the resource. They are sent one after another, because the engine
 * shows them in the order of arrival. The connection is made at the first message: most plugins never log.
 */
export function engineLog(address: string | undefined): EngineLog {
  let send: ((urn: string, severity: Severity, message: string) => Promise<void>) | undefined;
  let queue: Promise<void> = Promise.resolve();
  return {
    log(urn, severity, message) {
      if (address === undefined) {
        process.stderr.write(`${message}\n`);
        return;
      }
      send ??= sender(address);
      const sending = send;
      queue = queue.then(() => sending(urn, severity, message));
    },
    flushed: () => queue,
  };
}

function sender(address: string): (urn: string, severity: Severity, message: string) => Promise<void> {
  const { messages, services } = engineStubs();
  const client = new services.EngineClient(address, grpc.credentials.createInsecure());
  const severities = {
    debug: messages.LogSeverity.DEBUG,
    info: messages.LogSeverity.INFO,
    warning: messages.LogSeverity.WARNING,
    error: messages.LogSeverity.ERROR,
  };
  return (urn, severity, message) => {
    const request = new messages.LogRequest();
    request.setUrn(urn);
    request.setSeverity(severities[severity]);
    request.setMessage(message);
    request.setEphemeral(severity === "debug" || severity === "info");
    // A message that does not arrive must not fail the resource that it is about.
    return new Promise((resolve) => client.log(request, () => resolve()));
  };
}
