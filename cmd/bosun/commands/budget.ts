/** `bosun budget`: what may be spent and what was. */
import type { Budget } from "../../../pkg/api/generated.ts";
import type { Context } from "../context.ts";
import { withObjects } from "../operator-client/connect.ts";
import { layout } from "../tables/layout.ts";

export async function budget(context: Context): Promise<void> {
  await withObjects(context, async ({ client }) => {
    const { items } = await client.list("Budget", { namespace: client.namespace });
    if (items.length === 0) {
      return context.note(
        "There is no Budget, so no request is let through. Declare one in .claude-sessions/budget.yaml.",
      );
    }
    for (const line of layout([header, ...items.flatMap(rows)])) context.out(line);
  });
}

const header = ["BUDGET", "WINDOW", "LIMIT", "SPENT", "RESERVED", "LEFT", "REQUESTS", "UNSETTLED"];

/** One row for each limit that the Budget sets. */
export function rows({ metadata, spec, status }: Budget): string[][] {
  return (["daily", "monthly"] as const).flatMap((window) => {
    const limit = spec[window];
    const account = status?.[window];
    const counts = [String(account?.requests ?? 0), String(account?.unsettled ?? 0)];
    const name = [metadata.name, account?.window ?? window];
    const found: string[][] = [];
    if (limit?.usd !== undefined) {
      const amounts = [account?.spentUSD ?? 0, account?.reservedUSD ?? 0, account?.remainingUSD ?? limit.usd];
      found.push([
        ...name,
        `$${limit.usd.toFixed(2)}`,
        ...amounts.map((amount) => `$${amount.toFixed(4)}`),
        ...counts,
      ]);
    }
    if (limit?.tokens !== undefined) {
      const amounts = [
        account?.spentTokens ?? 0,
        account?.reservedTokens ?? 0,
        account?.remainingTokens ?? limit.tokens,
      ];
      found.push([...name, `${limit.tokens} tokens`, ...amounts.map(String), ...counts]);
    }
    return found;
  });
}
