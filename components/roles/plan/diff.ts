/** A unified line diff, for rendered configuration: a few hundred lines with few changes. */

export function lineDiff(from: string, to: string, context = 2): string[] {
  const script = editScript(split(from), split(to));
  const near = (index: number) =>
    script.slice(Math.max(0, index - context), index + context + 1).some(isChange);
  const lines: string[] = [];
  let gap = false;
  for (const [index, row] of script.entries()) {
    if (near(index)) {
      if (gap && lines.length > 0) lines.push("…");
      lines.push(row);
      gap = false;
    } else {
      gap = true;
    }
  }
  return lines;
}

function split(text: string): string[] {
  return text === "" ? [] : text.replace(/\n$/, "").split("\n");
}

function isChange(row: string): boolean {
  return !row.startsWith("  ");
}

/** Rows with `- `, `+ ` or two blanks before them, by the longest common subsequence. */
function editScript(from: readonly string[], to: readonly string[]): string[] {
  let head = 0;
  while (head < from.length && head < to.length && from[head] === to[head]) head += 1;
  let tail = 0;
  const rest = () => Math.min(from.length, to.length) - head;
  while (tail < rest() && from[from.length - 1 - tail] === to[to.length - 1 - tail]) tail += 1;
  const same = (rows: readonly string[]) => rows.map((row) => `  ${row}`);
  return [
    ...same(from.slice(0, head)),
    ...middle(from.slice(head, from.length - tail), to.slice(head, to.length - tail)),
    ...same(from.slice(from.length - tail)),
  ];
}

function middle(from: readonly string[], to: readonly string[]): string[] {
  // common[i][j]: length of the longest common subsequence of from[i…] and to[j…].
  const common = Array.from({ length: from.length + 1 }, () => new Array<number>(to.length + 1).fill(0));
  const at = (i: number, j: number) => common[i]?.[j] ?? 0;
  for (let i = from.length - 1; i >= 0; i -= 1) {
    for (let j = to.length - 1; j >= 0; j -= 1) {
      const row = common[i];
      if (row) row[j] = from[i] === to[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const rows: string[] = [];
  let [i, j] = [0, 0];
  while (i < from.length || j < to.length) {
    if (i < from.length && j < to.length && from[i] === to[j]) {
      rows.push(`  ${from[i]}`);
      i += 1;
      j += 1;
    } else if (i < from.length && (j >= to.length || at(i + 1, j) >= at(i, j + 1))) {
      rows.push(`- ${from[i]}`);
      i += 1;
    } else {
      rows.push(`+ ${to[j]}`);
      j += 1;
    }
  }
  return rows;
}
