/** How often a process looks whether it rests, in milliseconds. */
const lookMs = 30_000;
/** Less than this share of a core, in per cent, is rest: an operator with nothing to do takes 0.4. */
const restPercent = 2;
/** While it goes on to rest, memory is given back again each time after this many looks. */
const againAfterLooks = 6;

/**
 * Gives memory back each time that this process has come to rest, and every three minutes of it: V8 by itself keeps for hours
 * what a busy minute took. That is 60 ms of work for an operator; a busy process never does it. Keeps no process
 * alive. Does nothing in one that was not started with `--expose-gc`.
 */
export function giveMemoryBackAtRest(): void {
  if (globalThis.gc === undefined) return;
  const rest = new Rest();
  let beforeMs = processorMs();
  setInterval(() => {
    const nowMs = processorMs();
    const isDue = rest.isDue(nowMs - beforeMs);
    beforeMs = nowMs;
    if (isDue) giveMemoryBack();
  }, lookMs).unref();
}

/** Whether memory is to be given back, look by look. */
export class Rest {
  #restfulLooks = 0;

  /** @param usedMs - processor time since the last look */
  isDue(usedMs: number): boolean {
    if (usedMs >= (lookMs * restPercent) / 100) {
      this.#restfulLooks = 0;
      return false;
    }
    const isDue = this.#restfulLooks % againAfterLooks === 0;
    this.#restfulLooks += 1;
    return isDue;
  }
}

/** As when there would else be no memory left: V8 collects until there is nothing more, and lets go of empty pages. */
export function giveMemoryBack(): void {
  globalThis.gc?.({ type: "major", flavor: "last-resort", execution: "sync" });
}

function processorMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
