const shape = /^v([1-9]\d*)(?:(alpha|beta)([1-9]\d*))?$/;
const stages = ["alpha", "beta", undefined];

/**
 * Orders versions as Kubernetes prefers them, the best first: released ones before beta and alpha, the newest of each
 * first, and what is no such version last, by its letters.
 */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [shape.exec(a), shape.exec(b)];
  if (left === null || right === null) {
    if (left !== null) return -1;
    if (right !== null) return 1;
    return a < b ? -1 : a > b ? 1 : 0;
  }
  return (
    stages.indexOf(right[2]) - stages.indexOf(left[2]) ||
    Number(right[1]) - Number(left[1]) ||
    Number(right[3] ?? 0) - Number(left[3] ?? 0)
  );
}
