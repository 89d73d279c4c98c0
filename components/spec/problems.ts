/** One reason why a configuration is refused. All of them are reported together, before anything is touched. */
export interface Problem {
  /** Stable identifier of the rule, e.g. `E_ACTIVE_UNKNOWN`. */
  readonly code: string;
  /** Where in the configuration, e.g. `deployment.sites.site-a.address`. */
  readonly path: string;
  /** What is wrong, the value, and what to do. */
  readonly message: string;
}

export function renderProblems(problems: readonly Problem[]): string {
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  const lines = problems.map((p) => `  ${p.code}  ${p.path}: ${p.message}`);
  return [`The configuration has ${count}; nothing was touched.`, ...lines].join("\n");
}
