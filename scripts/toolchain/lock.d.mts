export function processIdentity(pid: number): string | undefined;
export function tryLock(path: string): { release(): void } | { holder: number };
