/** Resolves once one of the signals has aborted; at once where one had before. */
export function aborted(...signals: readonly AbortSignal[]): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of signals)
      if (signal.aborted) resolve();
      else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
