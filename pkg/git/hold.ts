import type { ChildProcess } from "node:child_process";

/**
 * Whether a process that stays, with what it prints, keeps this one from ending. When this process ends all the same, so
 * does the input of the other, and it with that.
 */
export function hold(child: ChildProcess, how: "ref" | "unref"): void {
  child[how]();
  // They are sockets, which their types don't say.
  for (const stream of [child.stdin, child.stdout, child.stderr])
    (stream as unknown as Record<typeof how, () => void> | null)?.[how]();
}
