export function processIdentity(pid: number): string | undefined;
export function stillRuns(identity: string): boolean;
export function tryLock(path: string): { release(): void } | { holder: number };
