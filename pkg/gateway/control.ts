/** The control socket: how the operator speaks to its gateway. One POST a call, JSON both ways. */
import { once } from "node:events";
import { chmod, unlink } from "node:fs/promises";
import type { Agent, IncomingMessage, Server } from "node:http";
import { text } from "node:stream/consumers";
import { http } from "../system/http.ts";
import type { Gateway } from "./gateway.ts";

/** What the process says of itself. */
export interface Hello {
  pid: number;
  startTime: string;
  /** Of the configuration it was started with: a gateway with another one is not adopted. */
  fingerprint: string;
  /** The greatest of an operator that steered it. */
  term: number;
}

export type ControlHandler = (body: never) => unknown;

/** The longest path that a unix socket can have on every platform we run on, in bytes. */
const SOCKET_PATH_BYTES_MAX = 103;

/**
 * The calls that a gateway answers, by name. What only an operator does is refused to one of an earlier term than was
 * heard before: it was suspended, and another has taken over.
 */
export function controlCalls(
  gateway: Gateway,
  { term: first = 0, ...identity }: Omit<Hello, "term"> & { term?: number },
  stop: () => void,
): Record<string, ControlHandler> {
  let newest = first;
  const ofOperator =
    <B>(call: (body: B) => unknown): ControlHandler =>
    ({ term = 0, ...body }: { term?: number }) => {
      if (term < newest) throw new Error("Another operator has taken over this gateway; nothing was done.");
      newest = term;
      return call(body as B);
    };
  return {
    hello: (): Hello => ({ ...identity, term: newest }),
    renew: ofOperator(() => {
      gateway.renew();
      // Those of two processes differ, however many each has counted.
      const changes = `${identity.pid} ${identity.startTime} ${gateway.changes}`;
      return { changes, news: gateway.news() };
    }),
    setBudgets: ofOperator(({ budgets }: { budgets: Parameters<Gateway["setBudgets"]>[0] }) =>
      gateway.setBudgets(budgets),
    ),
    setAdmitted: ofOperator(({ admitted }: { admitted: Parameters<Gateway["setAdmitted"]>[0] }) =>
      gateway.setAdmitted(admitted),
    ),
    admit: ofOperator(({ grant }: { grant: Parameters<Gateway["admit"]>[0] }) => gateway.admit(grant)),
    dismiss: ofOperator(({ session }: { session: string }) => gateway.dismiss(session)),
    stop: ofOperator(() => stop()),
    account: ({ budget }: { budget: string }) => gateway.account(budget) ?? null,
    standing: ({ projects }: { projects: readonly string[] }) => gateway.standing(projects),
    cost: ({ query }: { query: Parameters<Gateway["cost"]>[0] }) => ({ cost: gateway.cost(query) }),
    closedWindow: ({ budget, window }: { budget: string; window: string }) =>
      gateway.closedWindow(budget, window) ?? null,
    spent: ({ query }: { query: Parameters<Gateway["spent"]>[0] }) => gateway.spent(query),
    usageLimits: () => gateway.usageLimits(),
    requests: ({ count }: { count: number }) => gateway.requests(count),
    settle: ({ id, cost }: { id: string; cost: number }) => gateway.settle(id, cost),
  };
}

/**
 * Serves `calls` on the unix socket at `path`, which only this user may open.
 *
 * @throws Error when another process listens there, or the path is too long for a socket
 */
export async function serveControl(path: string, calls: Record<string, ControlHandler>): Promise<Server> {
  if (Buffer.byteLength(path) > SOCKET_PATH_BYTES_MAX) {
    throw new Error(`${path} is too long for a unix socket: at most ${SOCKET_PATH_BYTES_MAX} bytes.`);
  }
  const server = http.createServer(async (request, response) => {
    // Node keeps the date it sends by a timer, which would wake a resting gateway once more for each renewal.
    response.sendDate = false;
    try {
      const call = calls[(request.url ?? "").slice(1)];
      if (call === undefined) {
        response
          .writeHead(404)
          .end(JSON.stringify({ error: `There is no call ${request.url}, or not yet.` }));
        return;
      }
      const result = await call((await readJson(request)) as never);
      response.end(JSON.stringify(result ?? null));
    } catch (error) {
      response.statusCode = 400;
      response.end(JSON.stringify({ error: (error as Error).message }));
    }
  });
  await removeDeadSocket(path);
  server.listen(path);
  await once(server, "listening");
  await chmod(path, 0o600);
  return server;
}

export interface ControlCall {
  /** Of the gateway. */
  socketPath: string;
  /** One of `controlCalls`. */
  name: string;
  body?: object;
  /** How long an answer is waited for, in milliseconds; 5000 when left out. */
  timeoutMs?: number;
  /** Kept from one call to the next; a connection of its own when left out. */
  connections?: Agent;
}

/**
 * Calls a gateway.
 *
 * @throws Error when nobody answers in time; ControlError when the answer is an error
 */
export async function callControl({
  socketPath,
  name,
  body = {},
  timeoutMs = 5_000,
  connections,
}: ControlCall): Promise<unknown> {
  const request = http.request({
    ...{ socketPath, path: `/${name}`, method: "POST" },
    agent: connections ?? false,
  });
  request.setTimeout(timeoutMs, () =>
    request.destroy(new Error(`The gateway gave no answer in ${timeoutMs} ms.`)),
  );
  request.end(JSON.stringify(body));
  const [response] = (await once(request, "response")) as [IncomingMessage];
  const answer = await readJson(response);
  const { error } = (answer ?? {}) as { error?: string };
  if (response.statusCode === 404) throw new Error(error);
  if (response.statusCode !== 200) throw new ControlError(error);
  return answer;
}

/** The gateway was reached and refused. */
export class ControlError extends Error {
  override readonly name = "ControlError";
}

async function readJson(message: IncomingMessage): Promise<unknown> {
  return JSON.parse(await text(message));
}

/** The file of a socket outlives its process; one that nobody listens on is in the way. */
async function removeDeadSocket(path: string): Promise<void> {
  try {
    await callControl({ socketPath: path, name: "hello" });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ECONNREFUSED") await unlink(path);
    if (code === "ECONNREFUSED" || code === "ENOENT") return;
    throw error;
  }
  throw new Error(`Another gateway listens on ${path}.`);
}
