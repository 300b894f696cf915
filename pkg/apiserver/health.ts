/** One thing that must hold for the server to be well. */
export interface HealthCheck {
  readonly name: string;
  /** Why it does not hold; undefined while it does. */
  check(): string | undefined;
}

export interface HealthAnswer {
  readonly code: 200 | 500;
  readonly text: string;
}

/**
 * Answers `/healthz`, `/livez` or `/readyz` in kube-apiserver's form, or one check beneath it. What fails says why only
 * where one check is asked for, which takes a token.
 *
 * @param path - `readyz`, or `readyz/storage`
 * @returns undefined when there is no such check
 */
export function health(
  path: string,
  query: URLSearchParams,
  checks: readonly HealthCheck[],
): HealthAnswer | undefined {
  const [endpoint = "", ...rest] = path.split("/");
  if (rest.length > 0) return single(checks.find(({ name }) => name === rest.join("/")));
  const excluded = new Set(query.getAll("exclude"));
  let failed = false;
  const lines = checks.map(({ name, check }) => {
    if (excluded.delete(name)) return `[+]${name} excluded: ok\n`;
    if (check() === undefined) return `[+]${name} ok\n`;
    failed = true;
    return `[-]${name} failed: reason withheld\n`;
  });
  if (excluded.size > 0) {
    const names = [...excluded].sort().map((name) => JSON.stringify(name));
    lines.push(`warn: some health checks cannot be excluded: no matches for ${names.join(",")}\n`);
  }
  if (failed) return { code: 500, text: `${lines.join("")}${endpoint} check failed\n` };
  return { code: 200, text: query.has("verbose") ? `${lines.join("")}${endpoint} check passed\n` : "ok" };
}

function single(found: HealthCheck | undefined): HealthAnswer | undefined {
  if (found === undefined) return undefined;
  const why = found.check();
  return why === undefined
    ? { code: 200, text: "ok" }
    : { code: 500, text: `internal server error: ${why}\n` };
}
