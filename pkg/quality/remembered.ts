/**
 * A function of immutable things that is asked again and again: keeps its newest `max` results. A failure is not
 * kept; who asks while the first is on its way gets the same.
 */
export function remembered<A extends readonly unknown[], T>(
  work: (...args: A) => Promise<T>,
  max: number,
): (...args: A) => Promise<T> {
  const results = new Map<string, Promise<T>>();
  return (...args) => {
    const key = JSON.stringify(args);
    const known = results.get(key);
    if (known !== undefined) return known;
    const result = work(...args);
    results.set(key, result);
    result.catch(() => results.delete(key));
    const [oldest] = results.keys();
    if (results.size > max && oldest !== undefined) results.delete(oldest);
    return result;
  };
}
