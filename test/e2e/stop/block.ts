/** Holds the event loop of an operator for good, through the inspector that Node has: the product has no hook for it. */
import type { OperatorProcess } from "../operator/scratch.ts";

/** For the environment of an operator that is to be blocked. */
export const inspectable = { NODE_OPTIONS: "--inspect=127.0.0.1:0" };

/** Resolves when the loop turns no more. */
export async function block(operator: OperatorProcess): Promise<void> {
  const url = await inspectorOf(operator);
  const socket = new WebSocket(url);
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = reject;
  });
  const blocked = new Promise<void>((resolve) => {
    socket.onmessage = ({ data }) => {
      if (String(data).includes('"id":1')) resolve();
    };
  });
  const evaluate = (id: number, expression: string) =>
    socket.send(JSON.stringify({ id, method: "Runtime.evaluate", params: { expression } }));
  // The inspector answers the first one between two turns of the loop, and takes the second at once.
  evaluate(1, "0");
  evaluate(2, "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)");
  await blocked;
}

/** Other processes that the operator starts may have an inspector as well, and say so on the same terminal. */
async function inspectorOf(operator: OperatorProcess): Promise<string> {
  for (const [, port] of operator.output().matchAll(/ws:\/\/127\.0\.0\.1:(\d+)\//g)) {
    const answer = await fetch(`http://127.0.0.1:${port}/json/list`).catch(() => undefined);
    const targets = ((await answer?.json()) ?? []) as { title: string; webSocketDebuggerUrl: string }[];
    const own = targets.find(({ title }) => title.includes("bosun"));
    if (own !== undefined) return own.webSocketDebuggerUrl;
  }
  throw new Error(`No inspector answers for the operator:\n${operator.output()}`);
}
