/**
 * Memory settings from the memory that a node has. The formula is fixed and small on purpose: a value that a
 * reader can compute in the head is one that he can disagree with, and override in `settings`.
 */

export interface MemorySettings {
  readonly shared_buffers: string;
  readonly effective_cache_size: string;
  readonly maintenance_work_mem: string;
  readonly work_mem: string;
  readonly wal_buffers: string;
}

const GiB = 1024;

/**
 * With M = the node's memory and C = `max_connections`:
 *
 * | setting | value | at least | at most |
 * |---|---|---|---|
 * | shared_buffers | M / 4: the rest is the page cache, which PostgreSQL counts on | 32 MB | 32 GB: beyond, checkpoints cost more than hits gain |
 * | effective_cache_size | 3 M / 4: what buffers and page cache hold together; a hint, allocates nothing | 64 MB | |
 * | maintenance_work_mem | M / 16: three autovacuum workers may hold it at once | 16 MB | 2 GB |
 * | work_mem | (M − shared_buffers) / 3 C: every connection in a query with three sorts or hashes fits | 1 MB | 256 MB |
 * | wal_buffers | shared_buffers / 32, PostgreSQL's own rule, stated so that both nodes show it | 1 MB | 16 MB, one segment |
 *
 * @param memoryMiB the node's memory in MiB; sensible from 256 up
 * @param maxConnections `max_connections` after the user's settings
 */
export function memorySettings(memoryMiB: number, maxConnections: number): MemorySettings {
  const sharedBuffers = clamp(Math.floor(memoryMiB / 4), 32, 32 * GiB);
  const workMemKiB = Math.floor(((memoryMiB - sharedBuffers) * 1024) / (3 * Math.max(1, maxConnections)));
  return {
    shared_buffers: megabytes(sharedBuffers),
    effective_cache_size: megabytes(Math.max(64, Math.floor((memoryMiB * 3) / 4))),
    maintenance_work_mem: megabytes(clamp(Math.floor(memoryMiB / 16), 16, 2 * GiB)),
    work_mem: `${clamp(workMemKiB, 1024, 256 * 1024)}kB`,
    wal_buffers: megabytes(clamp(Math.floor(sharedBuffers / 32), 1, 16)),
  };
}

/** PostgreSQL's `MB` is 2^20 bytes. */
function megabytes(value: number): string {
  return `${value}MB`;
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}
