/** A Client over HTTP, for tests alone: as plain as it can be, so that what it shows is the server's doing. */
import { type IncomingMessage, request } from "node:http";
import { text } from "node:stream/consumers";
import { type KubeObject, keyOf, type ObjectKey } from "../../api/meta.ts";
import { isNotFound, type Status, StatusError } from "../../api/status-error.ts";
import { linesOf } from "../../encoding/lines.ts";
import { deepFreeze } from "../../registry/json.ts";
import { apiVersionOf, type Resource } from "../../registry/resource.ts";
import type {
  Client,
  DeleteOptions,
  ListOptions,
  MergePatch,
  PatchOptions,
  WatchOptions,
} from "../../runtime/client.ts";

export interface HttpAnswer {
  readonly code: number;
  readonly headers: IncomingMessage["headers"];
  readonly text: string;
}

export interface HttpRequest {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
}

/** One request over the unix socket; the answer whatever its code. */
export async function call(socketPath: string, options: HttpRequest): Promise<HttpAnswer> {
  const response = await open(socketPath, options);
  return { code: response.statusCode ?? 0, headers: response.headers, text: await text(response) };
}

/** The response as soon as its headers are there. */
export function open(
  socketPath: string,
  { method = "GET", path, headers = {}, body }: HttpRequest,
  signal?: AbortSignal,
): Promise<IncomingMessage> {
  // Without a length, Node's client frames no body of a DELETE.
  const framing =
    body === undefined || "transfer-encoding" in headers ? {} : { "content-length": Buffer.byteLength(body) };
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        socketPath,
        method,
        path,
        headers: { ...headers, ...framing },
        agent: false,
        ...(signal ? { signal } : {}),
      },
      resolve,
    );
    sent.on("error", reject);
    sent.end(body);
  });
}

export function httpClient(socketPath: string, resources: readonly Resource[]): Client {
  const path = (
    kind: string,
    namespace = "",
    name = "",
    options: Record<string, string | undefined> = {},
  ): string => {
    const resource = resources.find((candidate) => candidate.kind === kind);
    if (resource === undefined) throw new Error(`No resource ${kind}`);
    const root = resource.group === "" ? "/api" : "/apis";
    const parts = [
      root,
      apiVersionOf(resource),
      ...(namespace && ["namespaces", namespace]),
      resource.plural,
      name,
    ];
    const given = Object.entries(options).filter(
      (entry): entry is [string, string] => entry[1] !== undefined,
    );
    const query = new URLSearchParams(given).toString();
    return `${parts.filter((part) => part !== "").join("/")}${query && `?${query}`}`;
  };
  const send = async (
    method: string,
    at: string,
    body?: unknown,
    type = "application/json",
  ): Promise<KubeObject> => {
    const answer = await call(socketPath, {
      method,
      path: at,
      headers: { "content-type": type },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const json = JSON.parse(answer.text);
    if (answer.code >= 400) throw statusError(json);
    return deepFreeze(json);
  };
  const objectPath = (kind: string, object: KubeObject, subresource = ""): string => {
    const { namespace, name } = keyOf(object);
    return `${path(kind, namespace, name)}${subresource}`;
  };
  const client = {
    async get(kind: string, { namespace, name }: ObjectKey) {
      try {
        return await send("GET", path(kind, namespace, name));
      } catch (error) {
        if (isNotFound(error)) return undefined;
        throw error;
      }
    },
    list: (kind: string, { namespace, labelSelector }: ListOptions = {}) =>
      send("GET", path(kind, namespace, "", { labelSelector })),
    async *watch(kind: string, { namespace, signal, ...options }: WatchOptions) {
      try {
        const at = path(kind, namespace, "", { watch: "true", ...options });
        const response = await open(socketPath, { path: at }, signal);
        for await (const event of events(response)) yield event;
      } catch (error) {
        if (!signal?.aborted) throw error;
      }
    },
    create: (kind: string, object: KubeObject) => send("POST", path(kind, keyOf(object).namespace), object),
    update: (kind: string, object: KubeObject) => send("PUT", objectPath(kind, object), object),
    updateStatus: (kind: string, object: KubeObject) =>
      send("PUT", objectPath(kind, object, "/status"), object),
    patch(
      kind: string,
      { namespace, name }: ObjectKey,
      patch: MergePatch,
      { subresource }: PatchOptions = {},
    ) {
      const at = `${path(kind, namespace, name)}${subresource === undefined ? "" : `/${subresource}`}`;
      return send("PATCH", at, patch, "application/merge-patch+json");
    },
    async delete(kind: string, { namespace, name }: ObjectKey, options: DeleteOptions = {}) {
      await send("DELETE", path(kind, namespace, name), {
        kind: "DeleteOptions",
        apiVersion: "v1",
        ...options,
      });
    },
  };
  return client as unknown as Client;
}

/** Each line of a watch's response. Throws the Status of an ERROR. */
export async function* events(
  response: IncomingMessage,
): AsyncIterable<{ type: string; object: KubeObject }> {
  for await (const line of linesOf(response)) {
    const event = JSON.parse(line);
    if (event.type === "ERROR") throw statusError(event.object);
    yield deepFreeze(event);
  }
}

function statusError(status: Status): StatusError {
  return new StatusError(status.code, status.reason ?? "", status.message ?? "", status.details);
}
