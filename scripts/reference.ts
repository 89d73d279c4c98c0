/**
 * Writes the configuration reference into README.md, between its markers.
 *
 *     node scripts/reference.ts            writes it
 *     node scripts/reference.ts --check    exits 1 when README.md is out of date
 */
import { readFileSync, writeFileSync } from "node:fs";
import { insertReference, renderReference } from "../components/spec/reference.ts";

const readme = new URL("../README.md", import.meta.url);
const [option, ...more] = process.argv.slice(2);

if (more.length > 0 || (option !== undefined && option !== "--check")) {
  console.error("usage: node scripts/reference.ts [--check]");
  process.exit(2);
}

try {
  const before = readFileSync(readme, "utf8");
  const after = insertReference(before, renderReference());
  if (before === after) {
    console.log("README.md has the current configuration reference.");
  } else if (option === "--check") {
    console.error("The configuration reference in README.md is out of date; run: node scripts/reference.ts");
    process.exitCode = 1;
  } else {
    writeFileSync(readme, after);
    console.log("README.md: the configuration reference is written.");
  }
} catch (error) {
  console.error(`README.md: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
