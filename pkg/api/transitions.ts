/**
 * The first step on the shortest way from `from` to `to` along `edges`: `to` itself where there is an edge, and where
 * there is no way at all. A status that lags (a crash between two writes) catches up through the table, not past it.
 */
export function stepAlong<T extends string>(
  edges: Readonly<Record<T, readonly T[]>>,
  { from, to }: { from: T; to: T },
): T {
  if (from === to || edges[from].includes(to)) return to;
  const firstStepTo = new Map<T, T>(edges[from].map((next) => [next, next]));
  for (const [state, first] of firstStepTo)
    for (const next of edges[state]) if (!firstStepTo.has(next)) firstStepTo.set(next, first);
  return firstStepTo.get(to) ?? to;
}
