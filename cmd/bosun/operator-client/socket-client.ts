/** The running operator's API over its unix socket: Kubernetes' HTTP protocol, as the commands need it. */
import type { IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import { KINDS } from "../../../pkg/api/generated.ts";
import type { KubeObject } from "../../../pkg/api/meta.ts";
import { collectionPath, objectPath } from "../../../pkg/api/paths.ts";
import { isNotFound, type Status, StatusError } from "../../../pkg/api/status-error.ts";
import { linesOf } from "../../../pkg/encoding/lines.ts";
import type { Client, Kind, ListOptions, MergePatch } from "../../../pkg/runtime/client.ts";
import { http } from "../../../pkg/system/http.ts";
import { socketPath } from "../../../pkg/system/socket-path.ts";
import { UserError } from "../user-error.ts";
import { FILE_NAMESPACE } from "../workspace-folder.ts";

/** What commands need of a Client. */
export type Reader = Pick<Client, "get" | "list"> & {
  /** Of the workspace. */
  readonly namespace: string;
};
export type OperatorClient = Reader & Pick<Client, "watch" | "create" | "patch" | "delete">;

/** An answer takes longer than this only from an operator that hangs, in milliseconds; a watch may be silent for ever. */
const answerMs = 30_000;

/** It was there and gave no answer in time: it is suspended, or hangs. */
export class SilentOperatorError extends UserError {}

/** Nobody listens at the socket. */
export class NoOperatorError extends Error {
  override readonly name = "NoOperatorError";
}

interface Listener {
  path: string;
  patienceMs: number;
}

interface Call {
  method: "GET" | "POST" | "PATCH" | "DELETE";
  path: string;
  body?: unknown;
  signal?: AbortSignal;
}

/**
 * Every method throws `NoOperatorError` when nobody listens at `socket`, `SilentOperatorError` when no answer comes within
 * `patienceMs`, and `StatusError` when the request is refused.
 */
export function socketClient(
  socket: string,
  namespace = FILE_NAMESPACE,
  patienceMs = answerMs,
): OperatorClient {
  const listener = { path: socketPath(socket), patienceMs };
  const call = async <T>(options: Call): Promise<T> => {
    const response = await send(listener, options);
    return JSON.parse(await text(response)) as T;
  };

  return {
    namespace,
    async get(kind, key) {
      try {
        return await call({ method: "GET", path: objectPath(KINDS[kind], key) });
      } catch (error) {
        if (isNotFound(error)) return undefined;
        throw error;
      }
    },
    list: (kind, options = {}) => call({ method: "GET", path: listPath(kind, options) }),
    async *watch(kind, { resourceVersion, signal, ...options }) {
      const path = listPath(kind, options, { watch: "true", resourceVersion, allowWatchBookmarks: "true" });
      try {
        const response = await send(listener, {
          method: "GET",
          path,
          ...(signal === undefined ? {} : { signal }),
        });
        for await (const line of linesOf(response)) yield watchEvent(line);
      } catch (error) {
        const isOver = [error, (error as Error).cause].some(
          (one) => (one as NodeJS.ErrnoException | undefined)?.code === "ECONNRESET",
        );
        // An operator that ends takes its watches with it: that is an end, not a failure.
        if (signal?.aborted !== true && !isOver) throw error;
      }
    },
    create: (kind, object) => {
      const namespace = (object as unknown as KubeObject).metadata.namespace ?? "default";
      return call({ method: "POST", path: listPath(kind, { namespace }), body: object });
    },
    patch: (kind, key, patch: MergePatch, options = {}) => {
      return call({ method: "PATCH", path: objectPath(KINDS[kind], key, options.subresource), body: patch });
    },
    async delete(kind, key, options) {
      await call({
        method: "DELETE",
        path: objectPath(KINDS[kind], key),
        body: { kind: "DeleteOptions", apiVersion: "v1", ...options },
      });
    },
  };
}

function listPath(
  kind: Kind,
  { namespace, labelSelector }: ListOptions,
  query: Record<string, string> = {},
): string {
  return collectionPath(KINDS[kind], namespace, { labelSelector, ...query });
}

function send(
  { path: listener, patienceMs }: Listener,
  { method, path, body, signal }: Call,
): Promise<IncomingMessage> {
  const payload = body === undefined ? undefined : JSON.stringify(body);
  const type = method === "PATCH" ? "application/merge-patch+json" : "application/json";
  const headers = {
    accept: "application/json",
    ...(payload === undefined ? {} : { "content-type": type, "content-length": Buffer.byteLength(payload) }),
  };
  return new Promise((resolve, reject) => {
    const sent = http.request({
      socketPath: listener,
      method,
      path,
      headers,
      agent: false,
      ...(signal === undefined ? {} : { signal }),
    });
    sent.on("error", (error: NodeJS.ErrnoException) => {
      if (isAbsence(error)) reject(absence(listener, error));
      else reject(error.code === "ECONNRESET" ? cutOff(method, error) : error);
    });
    const silence = () =>
      sent.destroy(
        new SilentOperatorError(
          `The operator gave no answer in ${patienceMs / 1000} s. \`bosun up\` says whether it is suspended or hangs, and what to do; its log is .claude-sessions/.bosun/operator.log`,
        ),
      );
    sent.setTimeout(patienceMs, silence);
    sent.on("response", (response) => {
      sent.setTimeout(0);
      if ((response.statusCode ?? 500) < 300) resolve(response);
      else text(response).then((answer) => reject(refusal(response.statusCode ?? 500, answer)), reject);
    });
    sent.end(payload);
  });
}

function isAbsence({ code }: NodeJS.ErrnoException): boolean {
  return code === "ENOENT" || code === "ECONNREFUSED" || code === "ENOTSOCK" || code === "ENOTDIR";
}

function absence(listener: string, cause: Error): NoOperatorError {
  return new NoOperatorError(`No operator listens at ${listener}.`, { cause });
}

function cutOff(method: Call["method"], cause: Error): UserError {
  const unknown = method === "GET" ? "" : ", so whether the change was made is unknown: `bosun get` shows it";
  return new UserError(
    `The operator ended before it answered${unknown}. Where it ran, it says why it ended.`,
    {
      cause,
    },
  );
}

function refusal(code: number, answer: string): Error {
  try {
    const status = JSON.parse(answer) as Status;
    return new StatusError(
      status.code ?? code,
      status.reason ?? "Unknown",
      status.message ?? answer,
      status.details,
    );
  } catch {
    // Not a Status: whatever answers there, it is no API server.
    return new Error(`The operator answered ${code}: ${answer.slice(0, 500)}`);
  }
}

function watchEvent(line: string) {
  const { type, object } = JSON.parse(line);
  if (type === "ERROR") throw new StatusError(object.code, object.reason, object.message, object.details);
  return type === "BOOKMARK" ? { type, resourceVersion: object.metadata.resourceVersion } : { type, object };
}
