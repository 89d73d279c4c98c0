/** Changes to a made-up node's report, for tests that start from a healthy one. */
import type { NodeFacts, NodeReport, SqlFacts } from "../../components/roles/facts.ts";

export function withReport(facts: NodeFacts, change: (report: NodeReport) => Partial<NodeReport>): NodeFacts {
  if (facts.reach !== "up") throw new Error("the node is not up");
  return { reach: "up", report: { ...facts.report, ...change(facts.report) } };
}

export function withSql(facts: NodeFacts, change: Partial<SqlFacts>): NodeFacts {
  return withReport(facts, ({ server }) => {
    if (server.sql === null) throw new Error("the server does not answer");
    return { server: { ...server, sql: { ...server.sql, ...change } } };
  });
}

/** What is installed, loaded and started, each as given or as it was. */
export function withFiles(
  facts: NodeFacts,
  files: Partial<Readonly<Record<"installed" | "loaded" | "started", Readonly<Record<string, string>>>>>,
): NodeFacts {
  return withReport(facts, (report) => ({ files: { ...report.files, ...files } }));
}
