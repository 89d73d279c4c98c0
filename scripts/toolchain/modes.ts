/** A script with a first argument that says what to do, and its request on stdin, where nobody else can read it. */
import { text } from "node:stream/consumers";

export type Modes<Request> = Readonly<Record<string, (request: Request) => Promise<void>>>;

/** Exit 1 and the reason on stderr when it fails. */
export async function runModes<Request>(
  script: string,
  read: (input: string) => Request,
  modes: Modes<Request>,
): Promise<void> {
  try {
    const mode = modes[process.argv[2] ?? ""];
    if (!mode) throw new Error(`usage: node ${script} ${Object.keys(modes).join("|")} < request.json`);
    await mode(read(await text(process.stdin)));
  } catch (error) {
    console.error((error as Error).message);
    process.exitCode = 1;
  }
}
