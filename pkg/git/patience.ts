export interface Patience {
  /** Waits as long again. */
  heard(): void;
  /** Waits no longer. */
  end(): void;
}

const sharesOfLimit = 10;

/**
 * Calls `lost` once nothing was heard for `limitMs`, or a little longer.
 *
 * It is counted in shares, and only those that this process has seen pass in time: after it, or the machine, was
 * suspended, what has arrived meanwhile is heard before anything is given up.
 */
export function patience(limitMs: number, lost: () => void): Patience {
  const shareMs = limitMs / sharesOfLimit;
  let left = sharesOfLimit;
  let lastMs = performance.now();
  const timer = setInterval(() => {
    const passedMs = performance.now() - lastMs;
    lastMs += passedMs;
    if (passedMs < 2 * shareMs) left -= 1;
    if (left > 0) return;
    clearInterval(timer);
    lost();
  }, shareMs);
  // What is waited for keeps this process from ending, not the wait.
  timer.unref();
  return {
    heard() {
      left = sharesOfLimit;
    },
    end: () => clearInterval(timer),
  };
}
