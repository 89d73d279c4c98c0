import { expect, test } from "vitest";
import { memorySettings } from "../../../components/postgres/memory.ts";

function megabytes(value: string): number {
  return value.endsWith("kB") ? Number.parseInt(value, 10) / 1024 : Number.parseInt(value, 10);
}

test.each([
  // [MiB, connections, shared_buffers, effective_cache_size, maintenance_work_mem, work_mem, wal_buffers]
  [256, 100, "64MB", "192MB", "16MB", "1024kB", "2MB"],
  [512, 100, "128MB", "384MB", "32MB", "1310kB", "4MB"],
  [2048, 100, "512MB", "1536MB", "128MB", "5242kB", "16MB"],
  [16_384, 200, "4096MB", "12288MB", "1024MB", "20971kB", "16MB"],
  [262_144, 500, "32768MB", "196608MB", "2048MB", "156587kB", "16MB"],
])("%i MiB for %i connections", (memory, connections, shared, cache, maintenance, work, wal) => {
  expect(memorySettings(memory, connections)).toEqual({
    shared_buffers: shared,
    effective_cache_size: cache,
    maintenance_work_mem: maintenance,
    work_mem: work,
    wal_buffers: wal,
  });
});

test("buffers and three autovacuum workers leave room, and more memory never means less of anything", () => {
  let before = memorySettings(256, 100);
  for (let memory = 256; memory <= 262_144; memory *= 2) {
    const now = memorySettings(memory, 100);
    expect(megabytes(now.shared_buffers) + 3 * megabytes(now.maintenance_work_mem)).toBeLessThan(
      memory * 0.6,
    );
    for (const name of Object.keys(now) as (keyof typeof now)[]) {
      expect(megabytes(now[name])).toBeGreaterThanOrEqual(megabytes(before[name]));
    }
    before = now;
  }
});
