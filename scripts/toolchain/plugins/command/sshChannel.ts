import type { Client, ClientChannel } from "ssh2";

/**
 * A session's requests one by one. ssh2's own `exec` sends environment variables without asking for an answer, so that
 * a command would run without those that the server refuses; the official provider fails then. This reaches into
 * ssh2 1.17.0, which package.json pins.
 */
export interface Session {
  readonly channel: ClientChannel;
  /** Whether the server accepted the variable. */
  setEnvironment(name: string, value: string): Promise<boolean>;
  /** Whether the server started the command. */
  exec(command: string): Promise<boolean>;
  /** Asks for no answer: not every server knows signals. */
  terminate(): void;
}

interface Protocol {
  session(channel: number, window: number, packet: number): void;
  env(channel: number, name: string, value: string, wantReply: boolean): void;
  exec(channel: number, command: string, wantReply: boolean): void;
  signal(channel: number, name: string): void;
}

interface Channel extends ClientChannel {
  readonly outgoing: { readonly id: number; readonly state: string };
  readonly _callbacks: ((failed: boolean) => void)[];
}

interface Internals {
  readonly _protocol: Protocol;
  readonly _chanMgr: { add(opened: Opened): number };
}

type Opened = ((error: Error | undefined, channel: Channel) => void) & { type: string };

/** ssh2's own figures. */
const WINDOW = 2 * 1024 * 1024;
const PACKET = 32 * 1024;

export async function openSession(client: Client): Promise<Session> {
  const { _protocol: protocol, _chanMgr: channels } = client as unknown as Internals;
  const channel = await new Promise<Channel>((resolve, reject) => {
    const opened = (error: Error | undefined, channel: Channel): void =>
      error ? reject(new Error(error.message)) : resolve(channel);
    protocol.session(channels.add(Object.assign(opened, { type: "session" })), WINDOW, PACKET);
  });
  const { id } = channel.outgoing;
  const ask = (send: () => void): Promise<boolean> =>
    new Promise((resolve) => {
      if (channel.outgoing.state !== "open") {
        resolve(false);
        return;
      }
      channel._callbacks.push((failed) => resolve(!failed));
      send();
    });
  return {
    channel,
    setEnvironment: (name, value) => ask(() => protocol.env(id, name, value, true)),
    exec: (command) => ask(() => protocol.exec(id, command, true)),
    terminate() {
      if (channel.outgoing.state === "open" || channel.outgoing.state === "eof") {
        protocol.signal(id, "TERM");
      }
    },
  };
}
