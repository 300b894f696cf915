/**
 * An HTTP server in which every request that a controller could make is made through the in-process Client, and every
 * other one goes on to the API server of the same registry. So whoever judges an API server judges the Client.
 */
import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import { text } from "node:stream/consumers";
import type { KubeObject, ObjectKey } from "../../pkg/api/meta.ts";
import { StatusError } from "../../pkg/api/status-error.ts";
import { objectText } from "../../pkg/apiserver/forms/object-text.ts";
import { sendJsonText, sendStatus, statusOf } from "../../pkg/apiserver/responses.ts";
import { type ResourceTarget, route } from "../../pkg/apiserver/routing.ts";
import { readJson, writeJson } from "../../pkg/encoding/json.ts";
import { registryClient } from "../../pkg/registry/client.ts";
import type { Registry } from "../../pkg/registry/registry.ts";
import { apiVersionOf } from "../../pkg/registry/resource.ts";
import type { Client, DeleteOptions, MergePatch } from "../../pkg/runtime/client.ts";

export interface Facade {
  readonly server: Server;
  /** How many requests went through the Client. */
  readonly served: () => number;
}

/** @param port - where the API server of the same registry listens */
export function clientFacade(registry: Registry, port: number): Facade {
  // Whatever the registry serves: the types know Bosun's kinds only.
  const client = registryClient(registry, "conformance") as unknown as UntypedClient;
  let served = 0;
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      if (response.headersSent) response.destroy();
      else if (error instanceof StatusError) sendStatus(request, response, error);
      else throw error;
    });
  });
  return { server, served: () => served };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request);
    const call = expressible(registry, request, body);
    const take = call === undefined ? undefined : await prepare(call, request, body);
    if (take === undefined) return forward(request, body, response);
    served += 1;
    await take(response);
  }

  /** What the Client is asked for; undefined when the request says what the Client has no words for. */
  async function prepare(
    { target, query }: Call,
    request: IncomingMessage,
    body: string,
  ): Promise<((response: ServerResponse) => Promise<void>) | undefined> {
    const { resource, name = "", subresource } = target;
    const kind = resource.kind;
    const key = { namespace: target.namespace ?? "", name };
    const options = {
      ...(target.namespace === undefined ? {} : { namespace: target.namespace }),
      ...(query.has("labelSelector") ? { labelSelector: query.get("labelSelector") ?? "" } : {}),
    };
    switch (request.method) {
      case "GET": {
        if (name !== "") {
          const found = await client.get(kind, key);
          // What is missing the Client says without an error: there is no Status to compare.
          return found === undefined ? undefined : async (response) => send(response, 200, found);
        }
        if (query.has("watch"))
          return (response) =>
            watch(response, kind, { ...options, resourceVersion: query.get("resourceVersion") ?? "" });
        return async (response) => {
          const { metadata, items } = await client.list(kind, options);
          const head = `"apiVersion":"${apiVersionOf(resource)}","kind":"${resource.listKind}"`;
          const list = items.map(objectText).join(",");
          sendJsonText(
            response,
            200,
            `{${head},"metadata":${writeJson({ continue: "", ...metadata })},"items":[${list}]}`,
          );
        };
      }
      case "POST": {
        const object = objectOf(body);
        if (object === undefined || !isAddressed(object, target) || (await warns(request, body)))
          return undefined;
        return async (response) => send(response, 201, await client.create(kind, placed(object, target)));
      }
      case "PUT": {
        const object = objectOf(body);
        if (object === undefined || !isAddressed(object, target) || (await warns(request, body)))
          return undefined;
        if (object.metadata.name !== name) return undefined;
        const at = placed(object, target);
        return async (response) =>
          send(
            response,
            200,
            subresource === "status" ? await client.updateStatus(kind, at) : await client.update(kind, at),
          );
      }
      case "PATCH": {
        const patch = jsonObject(body);
        if (patch === undefined || (await warns(request, body))) return undefined;
        const of = subresource === undefined ? {} : { subresource };
        return async (response) => send(response, 200, await client.patch(kind, key, patch, of));
      }
      case "DELETE": {
        const given = body === "" ? {} : jsonObject(body);
        // What is no DeleteOptions the API server has words for.
        if (given === undefined) return undefined;
        const { kind: bodyKind = "DeleteOptions", apiVersion: _apiVersion, ...asked }: MergePatch = given;
        if (bodyKind !== "DeleteOptions") return undefined;
        const known = ["preconditions", "propagationPolicy"];
        if (Object.keys(asked).some((field) => !known.includes(field))) return undefined;
        return async (response) => {
          const before = await client.get(kind, key);
          await client.delete(kind, key, asked);
          const left = await client.get(kind, key);
          if (left !== undefined) return send(response, 200, left);
          const { group, plural } = resource;
          const details = {
            name,
            ...(group === "" ? {} : { group }),
            kind: plural,
            uid: before?.metadata.uid,
          };
          const status = { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", details };
          sendJsonText(response, 200, writeJson(status));
        };
      }
      default:
        return undefined;
    }
  }

  async function watch(
    response: ServerResponse,
    kind: string,
    options: { namespace?: string; labelSelector?: string; resourceVersion: string },
  ): Promise<void> {
    const ending = new AbortController();
    response.once("close", () => ending.abort());
    const events = client.watch(kind, { ...options, signal: ending.signal });
    response.writeHead(200, { "content-type": "application/json" });
    response.flushHeaders();
    try {
      for await (const event of events)
        if (event.type !== "BOOKMARK")
          response.write(`{"type":"${event.type}","object":${objectText(event.object)}}\n`);
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
      response.write(`${writeJson({ type: "ERROR", object: statusOf(error) })}\n`);
    }
    response.end();
  }

  /** Whether the API server would warn of this write: the Client has nobody to warn. */
  async function warns(request: IncomingMessage, body: string): Promise<boolean> {
    const path = request.url ?? "";
    const answer = await ask(request, `${path}${path.includes("?") ? "&" : "?"}dryRun=All`, body);
    answer.resume();
    return answer.headers.warning !== undefined;
  }

  async function forward(request: IncomingMessage, body: string, response: ServerResponse): Promise<void> {
    const answer = await ask(request, request.url ?? "", body);
    response.writeHead(answer.statusCode ?? 0, answer.rawHeaders);
    response.flushHeaders();
    response.once("close", () => answer.destroy());
    answer.pipe(response);
  }

  function ask(from: IncomingMessage, path: string, body: string): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const { "content-length": _length, "transfer-encoding": _encoding, ...headers } = from.headers;
      const sent = body === "" ? headers : { ...headers, "content-length": Buffer.byteLength(body) };
      const to = {
        host: "127.0.0.1",
        port,
        method: from.method,
        path,
        headers: { ...sent, host: `127.0.0.1:${port}` },
      };
      httpRequest(to, resolve).on("error", reject).end(body);
    });
  }
}

interface UntypedClient {
  get(kind: string, key: ObjectKey): Promise<KubeObject | undefined>;
  list(kind: string, options: object): Promise<{ metadata: object; items: readonly KubeObject[] }>;
  watch(kind: string, options: object): ReturnType<Client["watch"]>;
  create(kind: string, object: KubeObject): Promise<KubeObject>;
  update(kind: string, object: KubeObject): Promise<KubeObject>;
  updateStatus(kind: string, object: KubeObject): Promise<KubeObject>;
  patch(kind: string, key: ObjectKey, patch: MergePatch, options: object): Promise<KubeObject>;
  delete(kind: string, key: ObjectKey, options: DeleteOptions): Promise<void>;
}

interface Call {
  readonly target: ResourceTarget;
  readonly query: URLSearchParams;
}

const mediaTypes: Readonly<Record<string, string>> = {
  POST: "application/json",
  PUT: "application/json",
  PATCH: "application/merge-patch+json",
};

/** A request for a custom resource that asks for nothing but what the Client can. */
function expressible(registry: Registry, request: IncomingMessage, body: string): Call | undefined {
  const url = new URL(request.url ?? "", "http://localhost");
  const target = route(registry, url.pathname);
  if (
    target.to !== "resource" ||
    target.watch ||
    target.resource.group === "" ||
    target.resource.group.endsWith(".k8s.io")
  )
    return undefined;
  const { accept, "content-type": type, "user-agent": agent = "" } = request.headers;
  if (accept !== "application/json") return undefined;
  const { method = "GET" } = request;
  if (method in mediaTypes && type !== mediaTypes[method]) return undefined;
  // The Client writes as whoever it was made for.
  if (method !== "GET" && !agent.startsWith("conformance")) return undefined;
  if (!/^(GET|POST|PUT|PATCH|DELETE)$/.test(method) || (method === "GET" && body !== "")) return undefined;
  const query = url.searchParams;
  const isWatch = query.get("watch") === "true" && /^[1-9]\d*$/.test(query.get("resourceVersion") ?? "");
  const words =
    method !== "GET" || target.name !== undefined
      ? []
      : isWatch
        ? ["watch", "resourceVersion", "labelSelector"]
        : ["labelSelector"];
  if ([...query.keys()].some((word) => !words.includes(word))) return undefined;
  const subresources = { PUT: ["status"], PATCH: ["status", "scale"] }[method] ?? [];
  if (target.subresource !== undefined && !subresources.includes(target.subresource)) return undefined;
  if ((method === "POST") === (target.name !== undefined))
    return method === "GET" && target.name === undefined ? { target, query } : undefined;
  if (method === "DELETE" && target.name === undefined) return undefined;
  if (method !== "GET" && target.resource.namespaced && target.namespace === undefined) return undefined;
  return { target, query };
}

function objectOf(body: string): KubeObject | undefined {
  const object = jsonObject(body);
  const { metadata } = object ?? {};
  if (object === undefined || typeof metadata !== "object" || metadata === null) return undefined;
  return object as unknown as KubeObject;
}

function jsonObject(body: string): MergePatch | undefined {
  try {
    const value = readJson(body);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as MergePatch)
      : undefined;
  } catch {
    // Not JSON: the API server has words for that.
    return undefined;
  }
}

/** Over HTTP the path says the namespace too; the Client has the object alone. */
function isAddressed({ metadata, kind }: KubeObject, { namespace, resource }: ResourceTarget): boolean {
  return kind === resource.kind && (metadata.namespace === undefined || metadata.namespace === namespace);
}

function placed(object: KubeObject, { namespace }: ResourceTarget): KubeObject {
  return namespace === undefined ? object : { ...object, metadata: { ...object.metadata, namespace } };
}

function send(response: ServerResponse, code: number, object: KubeObject): void {
  sendJsonText(response, code, objectText(object));
}
