/** Something that the user has to put right. Shown without a stack trace: what is wrong, then what to do. */
export class SetUpProblem extends Error {
  readonly advice: readonly string[];
  constructor(what: string, ...advice: readonly string[]) {
    super(what);
    this.name = "SetUpProblem";
    this.advice = advice;
  }
}

export function renderProblem(problem: SetUpProblem): string {
  return [problem.message, ...problem.advice.map((line) => `  ${line}`)].join("\n");
}

/** Runs a script's main function; a problem of the user's is told in its own words, a defect with its trace. */
export async function runScript(main: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await main();
  } catch (error) {
    const text =
      error instanceof SetUpProblem ? renderProblem(error) : error instanceof Error ? error.stack : error;
    process.stderr.write(`${text}\n`);
    process.exitCode = 1;
  }
}
