import type { Budget } from "../pkg/api/generated.ts";

/**
 * Under which windows, limits and corrections of a Budget a request was refused: one word. While it stays the same, so
 * does the answer; a turned window, a limit that a person changed, and what a person said of a request's cost change it.
 */
export function budgetMark({ metadata, spec, status }: Budget): string {
  const parts = [
    metadata.name,
    status?.daily?.window,
    spec.daily?.usd,
    spec.daily?.tokens,
    spec.monthly?.usd,
    spec.monthly?.tokens,
  ];
  return [...parts, ...(status?.corrections === undefined ? [] : [status.corrections])].join(":");
}
