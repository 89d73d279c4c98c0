import { defineConfig } from "vitest/config";

// One project per ring (see README, "Tests"); a mocks suite needs a process of its own, because Pulumi's
// mocks are global to one.
export default defineConfig({
  test: {
    pool: "forks",
    isolate: true,
    projects: [
      // The long ones take seconds of CPU, and a machine may have other work.
      { extends: true, test: { name: "unit", include: ["test/unit/**/*.test.ts"], testTimeout: 30_000 } },
      { extends: true, test: { name: "mocks", include: ["test/mocks/**/*.test.ts"], testTimeout: 30_000 } },
      {
        extends: true,
        test: {
          name: "engine",
          include: ["test/engine/**/*.test.ts"],
          fileParallelism: false,
          testTimeout: 600_000,
          hookTimeout: 600_000,
        },
      },
      {
        extends: true,
        test: {
          name: "faults",
          include: ["test/faults/**/*.test.ts"],
          fileParallelism: false,
          testTimeout: 1_800_000,
          hookTimeout: 600_000,
        },
      },
    ],
  },
});
