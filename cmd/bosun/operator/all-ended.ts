/**
 * What each of `work` has resolved with, once all of it has ended, well or badly: who takes back what was begun must not
 * do so while the rest still begins.
 *
 * @throws the first error, in the order of `work`
 */
export async function allEnded<T extends readonly unknown[]>(
  ...work: { [K in keyof T]: Promise<T[K]> }
): Promise<T> {
  await Promise.allSettled(work);
  return (await Promise.all(work)) as unknown as T;
}
