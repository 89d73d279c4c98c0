import { configDefaults, defineConfig } from "vitest/config";

/**
 * Of the engine ring: files that wait for programs, packages and SSH more than they compute, and measure nothing. Two at
 * once, before the others, which are alone one after another: what those measure is not to be the wait for a core.
 * Each has names, networks and ports of its own.
 */
const BESIDE = [
  "adoptMachine",
  "adoption",
  "dns",
  "dockerPlugin",
  "fenceCommand",
  "killed",
  "machineHost",
  "machineReboot",
  "ownEngines",
  "packageMirror",
  "pair",
  "pairOnMachines",
  "previewFromRecord",
  "regionUnits",
  "render",
  "survey",
].map((name) => `test/engine/${name}.test.ts`);

/** A long one takes seconds of CPU, and a machine may have other work. */
const SHORT = { testTimeout: 30_000 };
const LONG = { testTimeout: 600_000, hookTimeout: 600_000 };
const IN_DOCKER = { globalSetup: "test/support/leftovers.ts" };

// One project per ring (see README, "Tests"), but two for the engine ring; a mocks suite needs a process of its own, because
// Pulumi's mocks are global to one.
export default defineConfig({
  test: {
    pool: "forks",
    isolate: true,
    projects: [
      { extends: true, test: { name: "unit", include: ["test/unit/**/*.test.ts"], ...SHORT } },
      { extends: true, test: { name: "mocks", include: ["test/mocks/**/*.test.ts"], ...SHORT } },
      {
        extends: true,
        test: {
          name: "engine-beside",
          include: BESIDE,
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
          ...LONG,
          ...IN_DOCKER,
        },
      },
      {
        extends: true,
        test: {
          name: "engine",
          include: ["test/engine/**/*.test.ts"],
          exclude: [...configDefaults.exclude, ...BESIDE],
          fileParallelism: false,
          sequence: { groupOrder: 2 },
          ...LONG,
          ...IN_DOCKER,
        },
      },
      {
        extends: true,
        test: {
          name: "faults",
          include: ["test/faults/**/*.test.ts"],
          fileParallelism: false,
          sequence: { groupOrder: 3 },
          testTimeout: 1_800_000,
          hookTimeout: 600_000,
          ...IN_DOCKER,
        },
      },
    ],
  },
});
