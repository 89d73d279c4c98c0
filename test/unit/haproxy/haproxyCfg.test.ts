import { expect, test } from "vitest";
import { haproxyCfg, initialState } from "../../../components/haproxy/haproxyCfg.ts";
import { haproxyInput } from "./sample.ts";

test("haproxy.cfg", () => {
  expect(haproxyCfg(haproxyInput)).toMatchInlineSnapshot(`
    "# Rendered by Understudy; edits are overwritten.
    global
        log stdout format raw local0 info
        maxconn 2000
        stats socket /run/understudy-haproxy/admin.sock mode 0600 level admin
        server-state-file /etc/understudy-haproxy/initial.state
        ssl-default-server-options ssl-min-ver TLSv1.2

    defaults
        log global
        mode tcp
        option dontlognull
        option clitcpka
        option srvtcpka
        clitcpka-idle 10s
        clitcpka-intvl 5s
        clitcpka-cnt 3
        srvtcpka-idle 10s
        srvtcpka-intvl 5s
        srvtcpka-cnt 3
        retries 0
        timeout connect 4s
        timeout client 28800s
        timeout server 28800s
        timeout check 1000ms
        # Every server begins as down (see the file): nobody is sent to one that was never asked.
        load-server-state-from-file global

    frontend write
        option tcplog
        bind 10.88.0.31:5000
        default_backend postgres_write

    frontend read
        option tcplog
        bind 10.88.0.31:5001
        use_backend postgres_write if { nbsrv(postgres_read) lt 1 }
        default_backend postgres_read

    backend postgres_write
        balance leastconn
        option httpchk
        http-check send meth HEAD uri /primary
        http-check expect status 200
        default-server inter 1000ms fastinter 200ms downinter 500ms fall 2 rise 1 observe layer4 error-limit 1 on-error fastinter
        server node-1 10.88.0.11:5432 check port 8008 check-ssl verify required ca-file /etc/understudy-haproxy/ca.crt verifyhost node-1 check-sni node-1
        server node-2 10.88.0.12:5432 check port 8008 check-ssl verify required ca-file /etc/understudy-haproxy/ca.crt verifyhost node-2 check-sni node-2
        server node-3 10.88.0.13:5432 check port 8008 check-ssl verify required ca-file /etc/understudy-haproxy/ca.crt verifyhost node-3 check-sni node-3

    backend postgres_read
        balance leastconn
        option httpchk
        http-check send meth HEAD uri /replica
        http-check expect status 200
        default-server inter 1000ms fastinter 200ms downinter 500ms fall 2 rise 1 observe layer4 error-limit 1 on-error fastinter
        server node-1 10.88.0.11:5432 check port 8008 check-ssl verify required ca-file /etc/understudy-haproxy/ca.crt verifyhost node-1 check-sni node-1
        server node-2 10.88.0.12:5432 check port 8008 check-ssl verify required ca-file /etc/understudy-haproxy/ca.crt verifyhost node-2 check-sni node-2
        server node-3 10.88.0.13:5432 check port 8008 check-ssl verify required ca-file /etc/understudy-haproxy/ca.crt verifyhost node-3 check-sni node-3

    frontend stats
        mode http
        bind 127.0.0.1:7000
        timeout client 10s
        http-request use-service prometheus-exporter if { path /metrics }
        stats enable
        stats uri /
    "
  `);
});

test("reads that have no replica go nowhere if that is wanted", () => {
  expect(haproxyCfg({ ...haproxyInput, readsWithoutReplica: "nowhere" })).not.toContain("nbsrv");
});

test("a replica may be asked how far behind it is", () => {
  const text = haproxyCfg({ ...haproxyInput, maximumReadLagBytes: 16_777_216 });
  expect(text).toContain("http-check send meth HEAD uri /replica?lag=16777216\n");
  expect(text).toContain("http-check send meth HEAD uri /primary\n");
});

test("every server of either port begins as stopped, under the name that haproxy.cfg gives it", () => {
  const [version, columns, ...lines] = initialState(haproxyInput).trimEnd().split("\n");
  expect(version).toBe("1");
  const names = (columns ?? "").slice(2).split(" ");
  const rows = lines.map((line) => {
    const values = line.split(" ");
    expect(values).toHaveLength(names.length);
    return Object.fromEntries(names.map((name, index) => [name, values[index]]));
  });
  expect(rows.map((row) => `${row.be_name}/${row.srv_name} ${row.srv_addr} ${row.srv_op_state}`)).toEqual([
    "postgres_write/node-1 10.88.0.11 0",
    "postgres_write/node-2 10.88.0.12 0",
    "postgres_write/node-3 10.88.0.13 0",
    "postgres_read/node-1 10.88.0.11 0",
    "postgres_read/node-2 10.88.0.12 0",
    "postgres_read/node-3 10.88.0.13 0",
  ]);
});
