/** Programs of a client of a Patroni cluster, for `python3 -c`, and what they noted. */
import { docker } from "../node/docker.ts";

/** What WRITER noted in its container. */
export async function acknowledged(container: string): Promise<{ number: number; atMs: number }[]> {
  const text = await docker("exec", container, "cat", "/tmp/acknowledged");
  return text.split("\n").map((line) => {
    const [number, atMs] = line.split(" ").map(Number);
    return { number: number ?? 0, atMs: atMs ?? 0 };
  });
}

/** Writes a number every 20 ms through HAProxy, and notes which were acknowledged, and when. */
export const WRITER = `import os, sys, time, psycopg
files = "/etc/understudy/secrets/"
where = (f"host={sys.argv[1]} port=5000 dbname=postgres user=app connect_timeout=2 sslmode=verify-full"
         f" sslrootcert={files}ca.crt sslcert={files}server.crt sslkey={files}server.key")
connection, number = None, 0
with open("/tmp/acknowledged", "w", buffering=1) as log:
    while not os.path.exists("/tmp/stop"):
        number += 1
        try:
            connection = connection or psycopg.connect(where, autocommit=True)
            connection.execute("INSERT INTO written VALUES (%s)", (number,))
            log.write(f"{number} {int(time.monotonic() * 1000)}\\n")
        except psycopg.Error:
            connection = None
        time.sleep(0.02)`;

/** The status that a member's REST interface answers with to somebody who has no certificate. */
export const ASK_REST = `import ssl, sys, urllib.request, urllib.error
tls = ssl.create_default_context(cafile="/etc/understudy/secrets/ca.crt")
request = urllib.request.Request(sys.argv[2], b"{}" if sys.argv[1] == "POST" else None, method=sys.argv[1])
try:
    print(urllib.request.urlopen(request, context=tls, timeout=10).status)
except urllib.error.HTTPError as error:
    print(error.code)`;

/** The address that the local agent's DNS has for whoever leads; the answer's last four bytes. */
export const ASK_DNS = `import socket
name = b"".join(bytes([len(part)]) + part for part in b"master.orders.service.consul".split(b"."))
asker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
asker.settimeout(5)
asker.sendto(b"\\0\\1\\1\\0\\0\\1\\0\\0\\0\\0\\0\\0" + name + b"\\0\\0\\1\\0\\1", ("127.0.0.1", 8600))
answer = asker.recv(512)
answers = int.from_bytes(answer[6:8])
print(socket.inet_ntoa(answer[-4:]) if answers == 1 else f"{answers} answers")`;
