/** One question, one answer, over TCP: an answer of any size, and a server that is not there says so at once. */
import { connect } from "node:net";

export interface ServerAddress {
  readonly host: string;
  readonly port: number;
}

/** Nothing that answers DNS is at the address. */
export class UnreachableError extends Error {}

export function exchange(server: ServerAddress, message: Buffer, timeoutMs: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const where = `the name server at ${server.host}:${server.port}`;
    const fail = (reason: string) => {
      clearTimeout(timer);
      socket.destroy();
      reject(new UnreachableError(`${where} ${reason}`));
    };
    const socket = connect(server.port, server.host);
    const timer = setTimeout(() => fail(`did not answer within ${timeoutMs} ms`), timeoutMs);
    let received = Buffer.alloc(0);
    socket.on("error", (error) => fail(`cannot be reached: ${error.message}`));
    socket.on("close", () => fail("closed the connection without an answer"));
    socket.on("connect", () => {
      const length = Buffer.alloc(2);
      length.writeUInt16BE(message.length);
      socket.write(Buffer.concat([length, message]));
    });
    socket.on("data", (chunk) => {
      received = Buffer.concat([received, chunk]);
      const end = received.length < 2 ? Number.POSITIVE_INFINITY : 2 + received.readUInt16BE(0);
      if (received.length >= end) {
        clearTimeout(timer);
        socket.removeAllListeners("close");
        socket.destroy();
        resolve(received.subarray(2, end));
      }
    });
  });
}
