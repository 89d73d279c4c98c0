/** What is said of a connection that failed because a certificate seemed to be of another time. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";

const modules = join(import.meta.dirname, "../../../../components/postgres/node");

function withClock(words: string): string {
  const text = `import sys\nsys.dont_write_bytecode = True\nsys.path.insert(0, sys.argv[2])\nfrom clockwords import with_clock\nprint(with_clock(with_clock(sys.argv[1])), end="")`;
  return execFileSync("python3", ["-c", text, words, modules], { encoding: "utf8" });
}

test.each([
  "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate is not yet valid (_ssl.c:1032)",
  "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate has expired (_ssl.c:1032)",
  "[SSL: SSLV3_ALERT_CERTIFICATE_EXPIRED] ssl/tls alert certificate expired (_ssl.c:2580)",
  "[SSL: SSLV3_ALERT_BAD_CERTIFICATE] ssl/tls alert bad certificate (_ssl.c:2580)",
  'connection to server at "10.0.0.1", port 5432 failed: SSL error: certificate verify failed',
])("%s: and what time it is here, once", (words) => {
  const said = withClock(words);
  expect(said.startsWith(`${words}; a wrong clock looks like this too: here it is 2`)).toBe(true);
  expect(said.match(/set clocks right with NTP/g)).toHaveLength(1);
});

test.each([
  "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: unable to get local issuer certificate",
  "[Errno 111] Connection refused",
])("%s: nothing of clocks", (words) => {
  expect(withClock(words)).toBe(words);
});
